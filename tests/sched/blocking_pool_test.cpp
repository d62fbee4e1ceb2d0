#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/pal/atomic.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/spawn_blocking.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/yield.hpp>

#include <sched/two_workers.hpp>
#include <threads.hpp>
#include <thrown_misuse.hpp>
#include <witness.hpp>

namespace troupe {

BOOST_FIXTURE_TEST_SUITE(blocking_pool_, test::two_workers)

BOOST_AUTO_TEST_CASE(gives_values_that_can_only_be_moved_and_nothing) {
  rt.block_on([]() -> task<> {
    int ran = 0;
    auto owned = co_await spawn_blocking([] { return std::make_unique<int>(3); });
    BOOST_TEST(*owned == 3);
    co_await spawn_blocking([&ran] { ++ran; });
    BOOST_TEST(ran == 1);
  });
}

BOOST_AUTO_TEST_CASE(its_captures_are_gone_before_the_waiting_task_goes_on) {
  std::size_t late = 0;
  rt.block_on([&]() -> task<> {
    for (std::size_t i = 0; i < test::rounds(2000); ++i) {
      bool gone = false;
      auto work = spawn_blocking([kept = test::witness{gone}] {});
      co_await work;
      late += !gone;
    }
  });
  BOOST_TEST(late == 0u);
}

BOOST_AUTO_TEST_CASE(work_beyond_the_limit_waits_its_turn) {
  rt.block_on([]() -> task<> {
    pal::atomic<int> running{0}, too_many{0};
    std::vector<blocking_handle<int>> all;
    for (int i = 0; i < 50; ++i) {
      all.push_back(spawn_blocking([&, i] {
        if (running.fetch_add(1) >= 2) too_many.fetch_add(1);
        std::this_thread::yield();
        running.fetch_sub(1);
        return i;
      }));
    }
    int sum = 0;
    for (auto& each : all) sum += co_await each;
    BOOST_TEST(sum == 1225);
    BOOST_TEST(too_many.load() == 0);
  });
}

BOOST_AUTO_TEST_CASE(a_dropped_handle_leaves_the_work_alone) {
  pal::atomic<bool> ran{false};
  rt.block_on([&]() -> task<> {
    {
      auto dropped = spawn_blocking([&] { ran.store(true); });
    }
    co_return;
  });
  test::wait_until([&] { return ran.load(); });
  BOOST_TEST(ran.load());
}

BOOST_AUTO_TEST_CASE(what_was_let_go_of_in_a_select_may_be_awaited_later) {
  rt.block_on([]() -> task<> {
    pal::atomic<bool> go{false};
    auto work = spawn_blocking([&] {
      test::wait_until([&] { return go.load(); });
      return 5;
    });
    auto first = co_await select(work, sleep_for(std::chrono::milliseconds{1}));
    BOOST_TEST(first.index() == 1u);
    go.store(true);
    BOOST_TEST((co_await work) == 5);
  });
}

// Goal:   no thread of a runtime outlives it, nor does what libraries keep for each thread.
// Method: what the threads keep takes its time to end.
BOOST_AUTO_TEST_CASE(what_its_threads_keep_ends_before_the_runtime) {
  struct kept {
    pal::atomic<std::size_t>* ended = nullptr;
    ~kept() {
      for (int i = 0; i < 1000; ++i) std::this_thread::yield();
      ended->fetch_add(1);
    }
  };
  pal::atomic<std::size_t> begun{0}, ended{0};
  {
    test::two_workers two;
    two.rt.block_on([&]() -> task<> {
      auto keep = [&] {
        static thread_local kept here;
        here.ended = &ended;
        begun.fetch_add(1);
        test::wait_until([&] { return begun.load() == 2; });
      };
      auto first = spawn_blocking(keep), second = spawn_blocking(keep);
      co_await first;
      co_await second;
    });
  }
  BOOST_TEST(ended.load() == 2u);
}

BOOST_AUTO_TEST_CASE(outside_a_runtime_it_is_a_misuse) {
  std::string text = test::misuse_of([] { (void)spawn_blocking([] {}); });
  BOOST_TEST(text.find("outside a runtime") != std::string::npos);
}

// Goal:   the end of the work and the beginning of the wait meet in every way, and never miss.
BOOST_AUTO_TEST_CASE(no_end_is_missed_however_close_to_the_wait_it_comes) {
  std::size_t sum = 0;
  const std::size_t count = test::rounds(5000);
  rt.block_on([&]() -> task<> {
    for (std::size_t i = 0; i < count; ++i) {
      auto work = spawn_blocking([i] { return i % 2; });
      if (i % 3 == 0) co_await yield();
      sum += co_await work;
    }
  });
  BOOST_TEST(sum == count / 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
