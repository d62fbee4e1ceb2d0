// Works on timers: timers, timeouts.
#include <algorithm>
#include <atomic>
#include <ctime>
#include <limits>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include "works.hpp"

namespace asio_bench {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, executor>;

/// CPU time of all threads of this process.
double cpu_seconds() {
  timespec time{};
  check(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0, "process CPU clock");
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// 1 to 1000 ms, the same for every peer: splitmix64 of the task's number.
std::chrono::milliseconds pseudo_random_sleep(std::uint64_t number) {
  std::uint64_t mixed = (number + 1) * 0x9e37'79b9'7f4a'7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58'476d'1ce4'e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d0'49bb'1331'11eb;
  mixed ^= mixed >> 31;
  return std::chrono::milliseconds{1 + mixed % 1000};
}

awaitable<void> sleep_once(std::uint64_t number, std::uint32_t& late_us) {
  auto deadline = clock::now() + pseudo_random_sleep(number);
  timer alarm{co_await asio::this_coro::executor, deadline};
  co_await alarm.async_wait(asio::deferred);
  auto late = std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - deadline);
  late_us = static_cast<std::uint32_t>(late.count());
}

awaitable<void> sleep_all(std::vector<std::uint32_t>& late_us) {
  executor here = co_await asio::this_coro::executor;
  for (std::size_t number = 0; number < late_us.size(); ++number) {
    asio::co_spawn(here, sleep_once(number, late_us[number]), asio::detached);
  }
}

awaitable<void> do_with_timeouts(std::size_t count, std::atomic<std::size_t>& in_time) {
  executor here = co_await asio::this_coro::executor;
  timer alarm{here};
  asio::cancellation_signal late;
  constexpr asio::use_awaitable_t<executor> use;
  for (std::size_t i = 0; i < count; ++i) {
    alarm.expires_after(10s);
    alarm.async_wait([&late](error_code stopped) {
      if (!stopped) late.emit(asio::cancellation_type::terminal);
    });
    co_await asio::post(here, asio::bind_cancellation_slot(late.slot(), use));
    check(alarm.cancel() == 1, "a timeout ran out");
  }
  in_time.fetch_add(count, std::memory_order_relaxed);
}

}  // namespace

// Fair: one coroutine and one timer per sleep, in one context; with a context per thread the CPU
// time is the same, and the sleeps of a burst end three times as late. Lateness goes to a slot that
// was touched before. The queue of a context is first in first out: what is late in a burst of a
// million is behind the coroutines that were spawned before.
std::vector<figure> timers(const settings& given) {
  std::vector<std::uint32_t> late(given.size, std::numeric_limits<std::uint32_t>::max());
  auto all = worker_threads::together(given.workers);
  double before = cpu_seconds();
  all.start(all.next(), sleep_all(late));
  all.run();
  double cpu = cpu_seconds() - before;
  std::sort(late.begin(), late.end());
  check(late.back() != std::numeric_limits<std::uint32_t>::max(), "timers: a sleep did not end");
  auto percentile = [&late](double share) {
    double place = static_cast<double>(late.size() - 1) * share;
    return static_cast<double>(late[static_cast<std::size_t>(place)]);
  };
  return {{"timers", "cpu_s", cpu},
          {"timers_late_p50", "us", percentile(0.5)},
          {"timers_late_p99", "us", percentile(0.99)},
          {"timers_late_p99.9", "us", percentile(0.999)}};
}

// Fair: a timer whose handler would cancel the operation, the older way of Asio, in a context per
// thread, as neither a timer nor a signal may be used by two threads at once. Beside it the
// operator || of awaitables, with a timer that is used again, is 0.1 x as fast, and the parallel
// group of deferred operations 0.6 x; one context for both threads 0.8 x. 100 tasks, so that both
// workers have work.
std::vector<figure> timeouts(const settings& given) {
  constexpr std::size_t tasks = 100;
  std::size_t each = std::max<std::size_t>(given.size / tasks, 1);
  auto all = worker_threads::apart(given.workers);
  std::atomic<std::size_t> in_time = 0;
  for (std::size_t i = 0; i < tasks; ++i) all.start(all.next(), do_with_timeouts(each, in_time));
  double seconds = all.run();
  check(in_time == each * tasks, "timeouts: a coroutine did not end");
  return rate("timeouts", "operations/s", each * tasks, seconds);
}

}  // namespace asio_bench
