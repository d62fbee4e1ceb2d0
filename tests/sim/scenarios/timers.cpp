// Time: sleeps, limits, intervals, and the timers of actors, some of them canceled.

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/sched/interval.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/merge.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>

#include "families.hpp"

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

constexpr duration most_late = 1ms;

struct state {
  explicit state(scene& in)
      : here{in},
        sleepers(in.between(1, 30)),
        rounds(in.between(1, 20)),
        busy_percent(in.between(0, 60)) {}

  // Of all scales: a wheel has several.
  duration some_length() {
    constexpr duration scales[] = {10us, 1ms, 30ms, 1s, 20s};
    if (here.percent(1)) return 1min * here.between(1, 100);
    return scales[here.below(std::size(scales))] * (1 + here.below(30));
  }
  // A time that was set for `due` has come.
  void check_due(time_point due, const char* what, duration slack = duration::zero()) {
    duration late = now() - due;
    here.check(late >= duration::zero(), "{} comes {} ns early", what, -late.count());
    if (!here.turns_take_no_time()) return;
    here.check(late <= most_late + slack, "{} comes {} ns late", what, late.count());
  }

  scene& here;
  const std::size_t sleepers, rounds;
  const std::uint64_t busy_percent;
};

task<> sleep_often(state& in) {
  alive frame;
  for (std::size_t i = 0; i < in.rounds; ++i) {
    auto length = in.some_length();
    time_point due = now() + length;
    switch (in.here.below(4)) {
      case 0:
        co_await sleep_until(due);
        in.check_due(due, "sleep_until");
        break;
      case 1: {
        event never;
        auto got = co_await timeout(length, never.wait()).as_result();
        in.here.check(got.has_error(), "what never comes has come");
        in.check_due(due, "timeout", length >= 100ms ? most_late : duration::zero());
        break;
      }
      case 2: {
        auto other = in.some_length();
        auto first = co_await select(sleep_for(length), sleep_for(other));
        time_point earlier = std::min(due, due - length + other);
        in.check_due(earlier, "the first of two sleeps");
        bool is_right = (first.index() == 0 ? length : other) <= std::min(length, other) + 1ms;
        in.here.check(is_right || !in.here.turns_take_no_time(),
                      "the later of two sleeps is first");
        break;
      }
      default:
        co_await sleep_for(length);
        in.check_due(due, "sleep_for");
    }
  }
}

// What the contract says of the next tick, after one that was due then and has come now.
time_point next_tick(time_point due, duration period, missed_ticks missed) {
  if (missed == missed_ticks::delay) return now() + period;
  due += period;
  while (missed == missed_ticks::skip && due <= now()) due += period;
  return due;
}

task<> tick_often(state& in) {
  alive frame;
  duration period = 1ms + in.some_length();
  auto missed = static_cast<missed_ticks>(in.here.below(3));
  interval every{period, missed};
  time_point due = now() + period;
  for (std::size_t i = 0; i < in.rounds; ++i) {
    if (in.here.percent(20)) {
      auto limit = in.here.some_time();
      auto got = co_await timeout(limit, every.next()).as_result();
      if (!got) continue;
      in.here.check(got->due == due, "a tick of another time comes");
    } else {
      auto got = co_await every.next();
      in.here.check(got.due == due, "a tick of another time comes");
      in.here.check(now() >= due, "a tick comes early");
    }
    due = next_tick(due, period, missed);
    if (in.here.percent(in.busy_percent)) co_await sleep_for(period * in.here.below(4) / 2);
  }
}

struct once {
  time_point due{};
  std::size_t timer = 0;
};
struct regular {};
struct quiet {};
struct begin {};

class clockwork : public actor {
public:
  explicit clockwork(state& in) : in_{in} {}

  void on(begin) {
    for (std::size_t i = 0; i < in_.rounds; ++i) {
      auto length = in_.some_length();
      timers_.push_back(self(this).send_after(length, once{now() + length, i}));
    }
    has_come_.resize(timers_.size());
    period_ = 1ms + in_.some_length();
    began_at_ = now();
    regular_ = self(this).send_every(period_, regular{});
    idle_limit_ = 10ms + in_.some_length();
    last_handled_ = now();
    quiet_ = self(this).send_when_idle<quiet>(idle_limit_);
  }
  void on(once m) {
    handle();
    in_.check_due(m.due, "an actor's timer", std::max(busy_until_ - m.due, duration::zero()));
    in_.here.check(!has_come_[m.timer], "an actor's timer comes twice, or after it was canceled");
    has_come_[m.timer] = true;
    ++handled_;
    cancel_some();
    if (handled_ > 3 * in_.rounds) end();
  }
  task<> on(regular) {
    alive frame;
    handle();
    in_.here.check(!is_over_, "a regular timer comes after it was canceled");
    in_.here.check(++ticks_ * period_ <= now() - began_at_, "a regular timer comes early");
    if (in_.here.percent(in_.busy_percent)) {
      co_await sleep_for(period_ * in_.here.below(5) / 4);
      last_handled_ = now();
      busy_until_ = now();
    }
    cancel_some();
    if (++handled_ > 3 * in_.rounds) end();
  }
  void on(quiet) {
    in_.here.check(!is_over_, "a timer of silence comes after it was canceled");
    handle();
    in_.here.check(was_silent_, "silence is told, and there was none of {} ns",
                   idle_limit_.count());
    was_silent_ = false;
    if (++handled_ > 3 * in_.rounds) end();
  }

private:
  void handle() {
    was_silent_ |= now() - last_handled_ >= idle_limit_;  // Other mail may come right before it.
    last_handled_ = now();
  }
  void cancel_some() {
    if (in_.here.percent(80)) return;
    std::size_t chosen = in_.here.below(timers_.size());
    timers_[chosen].cancel();
    has_come_[chosen] = true;
  }
  void end() {
    is_over_ = true;
    regular_.cancel();
    quiet_.cancel();
    if (in_.here.percent(50)) self().stop();
  }

  state& in_;
  std::vector<actor_timer> timers_;
  std::vector<bool> has_come_;
  actor_timer regular_, quiet_;
  duration period_{}, idle_limit_{};
  time_point began_at_{}, last_handled_{}, busy_until_{};
  std::size_t handled_ = 0, ticks_ = 0;
  bool was_silent_ = false;
  bool is_over_ = false;
  alive counted_;
};

task<> program(state& in) {
  alive frame;
  scene& here = in.here;
  std::vector<join_handle<void>> all;
  for (std::size_t i = 0; i < in.sleepers; ++i) {
    all.push_back(here.percent(50) ? spawn(sleep_often, std::ref(in))
                                   : spawn(tick_often, std::ref(in)));
  }
  std::vector<ref<clockwork>> clocks;
  std::size_t count = here.below(4);
  for (std::size_t i = 0; i < count; ++i) {
    clocks.push_back(spawn<clockwork>(in));
    co_await clocks.back().send(begin{});
  }
  for (auto& each : all) {
    if (here.percent(20)) {
      co_await sleep_for(in.some_length());
      co_await each.cancel();
    } else {
      co_await each;
    }
  }
  co_await sleep_for(in.some_length());
}

}  // namespace

void play_timers(scene& here) {
  auto& in = here.keep<state>(here);
  sim::node& node = here.add_node();
  node.start([&in]() -> task<> { return program(in); });
  if (here.percent(20)) here.break_off(node);
  here.run(24h * 30);
  here.end_world();
}

}  // namespace troupe::scenarios
