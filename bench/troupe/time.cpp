#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <vector>

#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include "works.hpp"

namespace troupe::bench {

namespace {

// CPU time of all threads of this process.
double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// 1 to 1000 ms, the same for every peer: splitmix64 of the task's number.
duration pseudo_random_sleep(std::uint64_t number) {
  std::uint64_t mixed = (number + 1) * 0x9e37'79b9'7f4a'7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58'476d'1ce4'e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d0'49bb'1331'11eb;
  mixed ^= mixed >> 31;
  return std::chrono::milliseconds{1 + mixed % 1000};
}

// Returns: the value below which that share of the sorted ones lies.
double percentile(const std::vector<std::uint32_t>& sorted, double share) {
  return sorted[static_cast<std::size_t>(static_cast<double>(sorted.size() - 1) * share)];
}

// One task per sleep; how late each was goes to a slot that was touched before.
std::vector<double> sleep_all(const settings& given) {
  std::size_t count = size_or(given, 1'000'000);
  return on_runtime(given, [count]() -> task<std::vector<double>> {
    std::vector<std::uint32_t> late_us(count, UINT32_MAX);
    countdown all{count};
    double cpu_before = cpu_seconds();
    for (std::size_t i = 0; i < count; ++i) {
      spawn([i, late = late_us.data(), &all]() -> task<> {
        time_point deadline = now() + pseudo_random_sleep(i);
        co_await sleep_until(deadline);
        auto by = std::chrono::duration_cast<std::chrono::microseconds>(now() - deadline);
        late[i] = static_cast<std::uint32_t>(by.count());
        all.count_down();
      });
    }
    co_await all.zero();
    double cpu = cpu_seconds() - cpu_before;
    std::sort(late_us.begin(), late_us.end());
    co_return std::vector<double>{cpu, percentile(late_us, 0.5), percentile(late_us, 0.99),
                                  percentile(late_us, 0.999)};
  });
}

// An operation that suspends once, under a limit of time that it never reaches. 100 tasks, so that
// every worker has work.
double timeouts(const settings& given) {
  constexpr std::size_t tasks = 100;
  std::size_t each = size_or(given, 1'000'000) / tasks;
  return on_runtime(given, [each]() -> task<double> {
    auto start = real_clock::now();
    co_await scope([each](scope_handle all) -> task<> {
      for (std::size_t i = 0; i < tasks; ++i) {
        all.spawn([each]() -> task<> {
          using namespace std::chrono_literals;
          for (std::size_t n = 0; n < each; ++n) co_await timeout(10s, yield());
        });
      }
      co_return;
    });
    co_return static_cast<double>(tasks * each) / seconds_since(start);
  });
}

}  // namespace

std::map<std::string, work> time_works() {
  std::vector<figure> of_sleeps{{"timers", "cpu_s"},
                                {"timers_late_p50", "us"},
                                {"timers_late_p99", "us"},
                                {"timers_late_p99.9", "us"}};
  return {
      {"timers", {of_sleeps, &sleep_all}},
      {"timeouts", {"operations/s", &timeouts}},
  };
}

}  // namespace troupe::bench
