#include <sys/resource.h>

#include <chrono>
#include <cstddef>
#include <fstream>
#include <system_error>
#include <utility>

#include <boost/test/unit_test.hpp>

#include <troupe/pal/parker.hpp>
#include <troupe/pal/random.hpp>
#include <troupe/sched/block_on.hpp>
#include <troupe/sched/scheduler.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/spawn.hpp>

#include <forked.hpp>
#include <threads.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

void compute_for(duration length) {
  time_point end = pal::real_clock().now() + length;
  while (pal::real_clock().now() < end) pal::spin_hint();
}

// What a scheduler says of its quiescence.
struct reports {
  pal::atomic<std::size_t> with_live_tasks{0};
  pal::atomic<bool> at_the_end{false};

  [[nodiscard]] scheduler_config config(std::size_t workers) {
    scheduler_config wanted;
    wanted.workers = workers;
    wanted.on_quiescent = [this](std::size_t live) {
      if (live > 0) with_live_tasks.fetch_add(1);
      if (live == 0) at_the_end.store(true);
    };
    return wanted;
  }
};

template <class F>
void start(scheduler& where, F&& f) {
  detail::start_on(where, nullptr, std::source_location::current(), std::forward<F>(f)).detach();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scheduler_)

// Goal:   a worker that goes to sleep does not take another's, that a timer has just given work,
// for
//         idle: the program would be called stuck.
// Method: one worker sleeps with the timer of a task, the other computes and goes to sleep about
//         when the timer fires. There is always a timer or a ready task until the end.
BOOST_AUTO_TEST_CASE(going_idle_while_a_timer_fires_elsewhere_is_no_quiescence) {
  const std::size_t rounds = test::rounds(2000);
  reports told;
  scheduler two{told.config(2)};
  two.add_guard();
  start(two, [&]() -> task<> {
    pal::random random{1};
    for (std::size_t i = 0; i < rounds; ++i) {
      auto length = std::chrono::microseconds{random.below(180)};
      spawn([length] { compute_for(length); }).detach();
      co_await sleep_for(1us);
    }
  });
  two.remove_guard();
  test::wait_until([&] { return told.at_the_end.load(); });
  BOOST_TEST(told.with_live_tasks.load() == 0u);
}

// Goal:   timers go on although the worker that attended them was given a job from outside that
//         computes for long.
// Method: the job computes until a periodic task has had two more ticks; nobody else helps.
BOOST_AUTO_TEST_CASE(sched_steal_timers_go_on_when_their_worker_computes_for_an_outsider) {
  reports told;
  scheduler two{told.config(2)};
  pal::atomic<std::size_t> ticks{0}, computed{0}, waited_in_vain{0};
  pal::atomic<bool> over{false};
  two.add_guard();
  start(two, [&]() -> task<> {
    while (!over.load()) {
      co_await sleep_for(200us);
      ticks.fetch_add(1);
    }
  });
  const std::size_t jobs = test::rounds(100);
  for (std::size_t i = 0; i < jobs; ++i) {
    test::wait_until([&] { return two.counters().parks > 2 * i; });
    start(two, [&] {
      std::size_t wanted = ticks.load() + 2;
      time_point patience = pal::real_clock().now() + 1s;
      while (ticks.load() < wanted && pal::real_clock().now() < patience) pal::spin_hint();
      if (ticks.load() < wanted) waited_in_vain.fetch_add(1);
      computed.fetch_add(1);
    });
    test::wait_until([&] { return computed.load() == i + 1; });
  }
  over.store(true);
  two.remove_guard();
  test::wait_until([&] { return told.at_the_end.load(); });
  BOOST_TEST(waited_in_vain.load() == 0u);
}

#if !defined(TROUPE_TEST_SANITIZED)  // Sanitizers need far more address space than they use.
// Goal:   when a later worker's thread cannot be made, the earlier ones end and the error gets out.
// Method: in a process of its own, address space for a few stacks only.
BOOST_AUTO_TEST_CASE(a_thread_that_cannot_be_made_is_an_error_and_leaves_no_other_behind) {
  auto end = test::run_forked([] {
    std::size_t pages = 0;
    std::ifstream{"/proc/self/statm"} >> pages;
    auto room = static_cast<rlim_t>(pages * 4096 + (100U << 20U));
    const rlimit limit{room, room};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) return 1;
    scheduler_config config;
    config.workers = 200;
    try {
      scheduler many{std::move(config)};
    } catch (const std::system_error&) {
      return 42;
    }
    return 2;
  });
  BOOST_TEST(end.code == 42, "exit code " << end.code << ": " << end.errors);
}
#endif

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
