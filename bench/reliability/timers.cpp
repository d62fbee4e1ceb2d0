// Timers under a clock that jumps: the wheel beside a plain model of it, and sleeping tasks,
// intervals and actors' timers under a virtual clock.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <troupe/actor/actor.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/pal/random.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/detail/timer_wheel.hpp>
#include <troupe/sched/interval.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/yield.hpp>

#include "counts.hpp"

namespace reliability {

using namespace std::chrono_literals;
using namespace troupe;

namespace {

// What must not be, by kind.
struct violations {
  std::uint64_t early = 0, lost = 0, disordered = 0, bursts = 0, after_cancel = 0;
};

constexpr duration tick_length{std::int64_t{1} << 17U};  // Deadlines are rounded up to that.
constexpr duration longest_life = std::chrono::hours{24 * 365 * 200};  // Of one clock.

// As likely to be some microseconds as some hours, or beyond 2^31 seconds.
duration any_length(pal::random& dice, unsigned bits) {
  std::uint64_t length = dice.next() >> (64 - 1 - dice.below(bits));
  return duration{static_cast<duration::rep>(length)};
}
constexpr unsigned bits_of_68_years = 61;

// --- the wheel ---

// Timers that wake nobody, and when each of them is due.
class modelled_wheel {
public:
  modelled_wheel(violations& found, std::uint64_t seed) : found_{found}, dice_{seed} {}
  ~modelled_wheel() {
    for (auto& [due, node] : armed_) wheel_.erase(*node);
  }

  void arm() {
    auto node = std::make_unique<detail::timer_node>();
    node->deadline = now_ + any_length(dice_, bits_of_68_years);
    (void)wheel_.insert(*node);
    std::int64_t next_tick = now_.time_since_epoch() / tick_length + 1;  // The first there is.
    armed_.emplace(std::max(tick_of(node->deadline), next_tick), std::move(node));
  }
  void cancel_one() {
    if (armed_.empty()) return;
    auto from = armed_.lower_bound(tick_of(now_ + any_length(dice_, bits_of_68_years)));
    if (from == armed_.end()) from = armed_.begin();
    wheel_.erase(*from->second);
    if (from->second->fired.load()) ++found_.after_cancel;
    armed_.erase(from);
  }
  // Time goes on by anything up to a year; what is due fires a few at a time, the oldest first.
  void jump() {
    now_ += any_length(dice_, 55);
    for (;;) {
      std::size_t most = 1 + dice_.below(20);
      wheel_.advance(now_, most, true);
      if (settle() == 0) break;
    }
    if (!armed_.empty() && armed_.begin()->first <= now_.time_since_epoch() / tick_length) {
      ++found_.lost;
      armed_.erase(armed_.begin());
    }
  }
  [[nodiscard]] bool is_old() const { return now_.time_since_epoch() > longest_life; }
  [[nodiscard]] pal::random& dice() noexcept { return dice_; }

private:
  static std::int64_t tick_of(time_point deadline) {
    return (deadline.time_since_epoch() + tick_length - duration{1}) / tick_length;
  }

  // Takes out what has fired: the oldest, and of one tick any. Returns: how many.
  std::size_t settle() {
    std::size_t fired = 0;
    std::int64_t oldest_left = INT64_MAX;
    int looks_beyond = 4;
    for (auto at = armed_.begin(); at != armed_.end() && looks_beyond > 0;) {
      auto& [tick, node] = *at;
      if (tick > oldest_left) --looks_beyond;
      if (!node->fired.load()) {
        oldest_left = std::min(oldest_left, tick);
        ++at;
        continue;
      }
      ++fired;
      if (node->deadline > now_) ++found_.early;
      if (tick > oldest_left) ++found_.disordered;
      at = armed_.erase(at);
    }
    return fired;
  }

  violations& found_;
  pal::random dice_;
  detail::timer_wheel wheel_{time_point{}};
  time_point now_{};
  std::multimap<std::int64_t, std::unique_ptr<detail::timer_node>> armed_;  // By tick.
};

void check_wheel(std::uint64_t count, std::uint64_t seed, violations& found) {
  std::uint64_t armed = 0;
  while (armed < count) {
    modelled_wheel wheel{found, seed++};
    while (armed < count && !wheel.is_old()) {
      std::uint64_t choice = wheel.dice().below(100);
      if (choice < 60) {
        wheel.arm();
        ++armed;
      } else if (choice < 80) {
        wheel.cancel_one();
      } else {
        wheel.jump();
      }
    }
  }
}

// --- tasks ---

// What sleeping tasks have seen; one worker runs them.
struct wake_ups {
  std::uint64_t count = 0, early = 0, disordered = 0, canceled = 0;
  time_point last{};
};

task<> sleep_and_note(duration length, wake_ups& seen) {
  time_point deadline = now() + length;
  try {
    co_await sleep_until(deadline);
  } catch (const canceled&) {
    ++seen.canceled;
    throw;
  }
  ++seen.count;
  if (now() < deadline) ++seen.early;
  if (deadline + tick_length < seen.last) ++seen.disordered;
  seen.last = std::max(seen.last, deadline);
}

// The clock goes from timer to timer, and so must they.
task<> sleep_in_many(std::uint64_t count, pal::random& dice, violations& found) {
  wake_ups seen;
  std::vector<join_handle<void>> sleeping;
  for (std::uint64_t i = 0; i < count; ++i) {
    sleeping.push_back(spawn(sleep_and_note, any_length(dice, 56), std::ref(seen)));
  }
  co_await yield();
  std::uint64_t canceled = 0;
  for (std::size_t i = 0; i < sleeping.size(); i += 1 + dice.below(7)) {
    try {
      co_await sleeping[i].cancel();
    } catch (const troupe::canceled&) {
    }
    ++canceled;
  }
  while (seen.count + seen.canceled < count) {
    std::uint64_t before = seen.count;
    co_await sleep_for(std::chrono::hours{24 * 366});
    if (seen.count == before) break;  // Nobody else wakes up any more.
  }
  found.lost += count - seen.count - seen.canceled;
  found.after_cancel += seen.canceled > canceled ? seen.canceled - canceled : 0;
  found.early += seen.early;
  found.disordered += seen.disordered;
}

struct beat {};
struct beats {};
class clockwork : public actor {
public:
  explicit clockwork(duration period) : period_{period} {}
  void on_start() { self(this).send_every(period_, beat{}); }
  void on(beat) { ++seen_; }
  std::uint64_t on(beats) { return std::exchange(seen_, 0); }

private:
  const duration period_;
  std::uint64_t seen_ = 0;
};

task<> count_ticks(duration period, std::uint64_t& ticks) {
  interval every{period};
  for (;;) {
    (void)co_await every.next();
    ++ticks;
  }
}

// Lets all that is due now come, and be handled, while time stands still.
task<> settle() {
  for (int turns = 0; turns < 300; ++turns) co_await yield();
}

// As after a pause of the whole process: each periodic timer may come once, and goes on in phase.
task<> pause_and_look(pal::virtual_clock& clock, std::uint64_t pauses, pal::random& dice,
                      violations& found) {
  constexpr duration period = 10ms;
  auto actor = spawn<clockwork>(period);
  std::uint64_t ticks = 0;
  auto ticking = spawn(count_ticks, period, std::ref(ticks));
  co_await sleep_for(period / 2);
  auto take_both = [&]() -> task<std::array<std::uint64_t, 2>> {
    co_await settle();
    std::uint64_t beaten = co_await actor.ask(beats{}, no_deadline);
    std::array<std::uint64_t, 2> both{std::exchange(ticks, 0), beaten};
    co_return both;
  };
  for (std::uint64_t i = 0; i < pauses; ++i) {
    (void)co_await take_both();
    clock.advance(period + tick_length + any_length(dice, 55));
    auto after_pause = co_await take_both();
    for (std::uint64_t seen : after_pause) {
      if (seen > 1) ++found.bursts;
      if (seen == 0) ++found.lost;
    }
    co_await sleep_for(7 * period / 2);
    auto later = co_await take_both();
    for (std::uint64_t seen : later) {
      if (seen > 4) ++found.bursts;
      if (seen < 3) ++found.lost;
    }
  }
  try {
    co_await ticking.cancel();
  } catch (const canceled&) {
  }
}

template <class F>
void run_virtual(F body) {
  pal::virtual_clock clock;
  runtime_config config;
  config.workers = 1;
  config.clock = &clock;
  config.network = false;
  runtime rt{config};
  rt.block_on([&] { return body(clock); });
}

}  // namespace

std::string jumping_clock(const settings& how) {
  violations found;
  auto begin = std::chrono::steady_clock::now();
  check_wheel(how.count, how.seed, found);
  constexpr std::uint64_t at_once = 20'000;
  std::uint64_t sleepers = std::max<std::uint64_t>(how.count / 5, 1'000), done = 0;
  pal::random dice{how.seed};
  for (; done < sleepers; done += at_once) {
    std::uint64_t count = std::min(at_once, sleepers - done);
    run_virtual([&](pal::virtual_clock&) { return sleep_in_many(count, dice, found); });
  }
  std::uint64_t pauses = std::max<std::uint64_t>(how.count / 10'000, 10);
  run_virtual(
      [&](pal::virtual_clock& clock) { return pause_and_look(clock, pauses, dice, found); });
  std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  return fmt::format(
      R"({{"timers": {}, "pauses": {}, "early": {}, "lost": {}, "disordered": {}, "bursts": {}, )"
      R"("after_cancel": {}, "seconds": {:.2f}}})",
      how.count + sleepers, pauses, found.early, found.lost, found.disordered, found.bursts,
      found.after_cancel, passed.count());
}

}  // namespace reliability
