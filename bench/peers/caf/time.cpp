// Works on timers: timers, timeouts.

#include <time.h>

#include <algorithm>
#include <latch>

#include "works.hpp"

namespace bench {

using caf::actor;
using caf::behavior;
using caf::event_based_actor;

namespace {

// CPU time of all threads of this process.
double cpu_seconds() {
  timespec time;
  check(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0, "process CPU clock");
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// 1 to 1000 ms, the same for every peer: splitmix64 of the actor's number.
std::chrono::milliseconds pseudo_random_delay(std::uint64_t number) {
  std::uint64_t mixed = (number + 1) * 0x9e37'79b9'7f4a'7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58'476d'1ce4'e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d0'49bb'1331'11eb;
  mixed ^= mixed >> 31;
  return std::chrono::milliseconds{1 + mixed % 1000};
}

using tick = caf::atom_constant<caf::atom("tick")>;

behavior sleeping(event_based_actor* self, std::uint64_t number, std::uint32_t* late_us,
                  std::latch* all) {
  auto delay = pseudo_random_delay(number);
  auto deadline = real_clock::now() + delay;
  self->delayed_send(self, delay, tick::value);
  return {[=](tick) {
    auto late = std::chrono::duration_cast<std::chrono::microseconds>(real_clock::now() - deadline);
    *late_us = static_cast<std::uint32_t>(late.count());
    all->count_down();
    self->quit();
  }};
}

}  // namespace

/// Fair: one actor per delayed message, started as in `spawn`. CAF's one clock thread takes new
/// timers through a ring of 64 before it looks at those that are due, which makes them late while
/// actors start. What is due comes in bursts of thousands, which only the policy "sharing" gets
/// through: with "stealing" a million took more than a minute, see start_many.
figures timers(caf::actor_system& system, std::uint64_t size) {
  std::vector<std::uint32_t> late_us(size, UINT32_MAX);
  std::latch all{static_cast<std::ptrdiff_t>(size)};
  double cpu_before = cpu_seconds();
  system.spawn([&, size](event_based_actor* self) {
    start_many(self, 0, size, [&](event_based_actor* by, std::uint64_t i) {
      by->spawn(sleeping, i, &late_us[i], &all);
    });
  });
  all.wait();
  double cpu = cpu_seconds() - cpu_before;
  std::sort(late_us.begin(), late_us.end());
  auto percentile = [&](double share) {
    return static_cast<double>(
        late_us[static_cast<std::size_t>(static_cast<double>(size - 1) * share)]);
  };
  return {{"timers", "cpu_s", cpu},
          {"timers_late_p50", "us", percentile(0.5)},
          {"timers_late_p99", "us", percentile(0.99)},
          {"timers_late_p99.9", "us", percentile(0.999)}};
}

namespace {

constexpr std::uint64_t clients = 100;

behavior server() {
  return {[](std::uint64_t value) { return value + 1; }};
}

void ask_with_timeout(event_based_actor* self, const actor& to, std::uint64_t left,
                      std::latch* all) {
  self->request(to, std::chrono::seconds{10}, left)
      .then(
          [=](std::uint64_t answer) {
            check(answer == left + 1, "timeouts: wrong answer");
            left > 1 ? ask_with_timeout(self, to, left - 1, all) : all->count_down();
          },
          [](const caf::error&) { check(false, "timeouts: no answer"); });
}

}  // namespace

/// Fair: `request` with a time limit. CAF 0.17 does not take it back when the answer comes: each
/// stays in the clock's tree until it is over or its actor ends, the tree grows with the size, and
/// the 500 000 of the default stay below the 10 s. A server for each client takes 0.7 x the CPU
/// time of one for all. The clock's own `cancel_request_timeout` beside one server is as fast, but
/// its class is none that the manual names; `await` is not faster.
figures timeouts(caf::actor_system& system, std::uint64_t size) {
  std::uint64_t each = std::max<std::uint64_t>(size / clients, 1);
  std::latch all{clients};
  auto start = real_clock::now();
  system.spawn([&](event_based_actor* self) {
    for (std::uint64_t i = 0; i < clients; ++i) {
      self->spawn(ask_with_timeout, self->spawn(server), each, &all);
    }
  });
  all.wait();
  return rate("timeouts", "operations/s", each * clients, start);
}

}  // namespace bench
