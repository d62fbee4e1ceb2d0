// What has to happen at once: a stop, the end of the others when one fails, a result that is there,
// and that a timer is heard of no more.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/join_set.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/when_all.hpp>
#include <troupe/task/yield.hpp>

#include "families.hpp"

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

constexpr duration long_time = 1min;

struct state {
  explicit state(scene& in) : here{in}, rounds(in.between(1, 20)) {}

  duration moment() { return here.below(5) * 1ms; }
  // It has come at its time, not when something else came.
  void check_time(time_point due, std::string_view what) {
    duration late = now() - due;
    here.check(late <= (here.turns_take_no_time() ? 1ms : 1s), "{} comes {} ns late", what,
               late.count());
  }

  scene& here;
  const std::size_t rounds;
};

// Takes its time, in every way.
task<> work(state& in) {
  alive frame;
  time_point end = now() + long_time;
  while (now() < end) {
    switch (in.here.below(4)) {
      case 0:
        co_await yield();
        break;
      case 1:
        co_await sleep_until(end);
        break;
      default:
        co_await sleep_for(in.moment());
    }
  }
}

task<> fail_after(state& in, duration length) {
  alive frame;
  if (length > duration::zero() || in.here.percent(50)) co_await sleep_for(length);
  throw planned_crash{};
}

task<> stop_one(state& in) {
  auto working = spawn(work, std::ref(in));
  if (in.here.percent(80)) co_await sleep_for(in.moment());
  time_point asked = now();
  co_await working.cancel();
  in.check_time(asked, "the end of a task that is stopped");
}

task<> fail_in_scope(state& in) {
  time_point due = now();
  bool has_failed = false;
  try {
    co_await scope([&](scope_handle open) -> task<> {
      std::size_t others = in.here.between(0, 3);
      for (std::size_t i = 0; i < others; ++i) open.spawn(work, std::ref(in));
      if (in.here.percent(30)) co_await sleep_for(in.moment());
      duration length = in.moment();
      due = now() + length;
      if (in.here.percent(30)) {
        co_await fail_after(in, length);
      } else {
        open.spawn(fail_after, std::ref(in), length);
      }
    });
  } catch (const planned_crash&) {
    has_failed = true;
  }
  in.here.check(has_failed, "a scope hides a failure");
  in.check_time(due, "the failure of a scope");
}

task<> fail_together(state& in) {
  duration length = in.moment();
  time_point due = now() + length;
  bool has_failed = false;
  try {
    co_await when_all(work(in), fail_after(in, length));
  } catch (const planned_crash&) {
    has_failed = true;
  }
  in.here.check(has_failed, "a failure among several tasks is hidden");
  in.check_time(due, "the failure of several tasks");
}

task<> limit_one(state& in) {
  duration limit = in.moment();
  time_point due = now() + limit;
  auto got = co_await timeout(limit, work(in)).as_result();
  in.here.check(!got, "a minute passes in a limit of some milliseconds");
  in.check_time(due, "the end of a task that has a limit");
}

task<> gather(state& in) {
  join_set<duration> set;
  std::vector<duration> lengths(in.here.between(1, 5));
  time_point began = now();
  for (duration& each : lengths) {
    each = in.moment();
    set.spawn(
        [](duration length) -> task<duration> {
          co_await sleep_for(length);
          co_return length;
        },
        each);
  }
  std::sort(lengths.begin(), lengths.end());
  for (duration each : lengths) {
    auto got = co_await set.next();
    in.here.check(got == each || !in.here.turns_take_no_time(),
                  "a set gives another result than the next one");
    in.check_time(began + each, "a result of a set");
  }
}

struct ring {
  std::size_t which = 0;
};

// Timers that are due together, and cancel one another.
class alarm_clock : public actor {
public:
  explicit alarm_clock(state& in) : in_{in}, is_canceled_(in.here.between(1, 4), false) {}

  void on_start() {
    for (std::size_t i = 0; i < is_canceled_.size(); ++i) {
      timers_.push_back(self(this).send_after(in_.moment(), ring{i}));
    }
  }
  void on(ring m) {
    in_.here.check(!is_canceled_[m.which], "a timer comes after it was canceled, or twice");
    is_canceled_[m.which] = true;
    if (in_.here.percent(50)) return;
    std::size_t other = in_.here.below(timers_.size());
    timers_[other].cancel();
    is_canceled_[other] = true;
  }

private:
  state& in_;
  std::vector<bool> is_canceled_;
  std::vector<actor_timer> timers_;
  alive counted_;
};

task<> ring_bells(state& in) {
  auto clock = spawn<alarm_clock>(in);
  co_await sleep_for(10ms);
}

struct question {};
struct forget {};

// Promises an answer, and forgets it.
class forgetful : public actor {
public:
  explicit forgetful(state& in) : in_{in} {}

  void on(question, reply<int> back) {
    auto delay = in_.moment();
    if (delay == duration::zero()) return;
    kept_.emplace(std::move(back));
    self(this).send_after(delay, forget{});
  }
  void on(forget) { kept_.reset(); }

private:
  state& in_;
  std::optional<reply<int>> kept_;
  alive counted_;
};

task<> ask_in_vain(state& in) {
  auto asked = spawn<forgetful>(in);
  time_point latest = now() + 5ms;
  auto got = co_await asked.ask(question{}).as_result();
  in.here.check(!got && got.error() == ask_errc::broken_reply,
                "a request whose reply is dropped ends with {}",
                got ? "an answer" : got.error().message());
  in.check_time(latest, "the end of a request whose reply is dropped");
}

task<> program(state& in) {
  alive frame;
  for (std::size_t i = 0; i < in.rounds && !in.here.failure(); ++i) {
    switch (in.here.below(7)) {
      case 0:
        co_await stop_one(in);
        break;
      case 1:
        co_await fail_in_scope(in);
        break;
      case 2:
        co_await fail_together(in);
        break;
      case 3:
        co_await limit_one(in);
        break;
      case 4:
        co_await ring_bells(in);
        break;
      case 5:
        co_await ask_in_vain(in);
        break;
      default:
        co_await gather(in);
    }
  }
}

}  // namespace

void play_prompt(scene& here) {
  auto& in = here.keep<state>(here);
  sim::node& node = here.add_node();
  node.start([&in]() -> task<> { return program(in); });
  here.run(1h);
  here.end_world();
}

}  // namespace troupe::scenarios
