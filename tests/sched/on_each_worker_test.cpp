#include <cstddef>
#include <memory>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/pal/atomic.hpp>
#include <troupe/sched/on_each_worker.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <sched/two_workers.hpp>
#include <threads.hpp>

namespace troupe {

BOOST_FIXTURE_TEST_SUITE(on_each_worker_, test::two_workers)

BOOST_AUTO_TEST_CASE(runs_once_on_each_and_ends_after_the_last) {
  std::size_t wrong = 0;
  for (std::size_t round = 0; round < test::rounds(300); ++round) {
    std::vector<int> visits(2);
    rt.block_on([&]() -> task<> {
      co_await on_each_worker([&](std::size_t index) { ++visits[index]; });
      wrong += visits[0] != 1 || visits[1] != 1;
    });
  }
  BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_CASE(comes_to_workers_that_never_run_out_of_work) {
  pal::atomic<bool> over{false};
  std::vector<join_handle<void>> busy;
  for (int i = 0; i < 2; ++i) {
    busy.push_back(rt.spawn([&]() -> task<> {
      while (!over.load()) co_await yield();
    }));
  }
  std::vector<int> visits(2);
  rt.block_on(
      [&]() -> task<> { co_await on_each_worker([&](std::size_t index) { ++visits[index]; }); });
  over.store(true);
  rt.block_on([&]() -> task<> {
    for (auto& each : busy) co_await each;
  });
  BOOST_TEST(visits == (std::vector<int>{1, 1}));
}

// Goal:   after a stop nothing is left to run later, when what it refers to is gone.
BOOST_AUTO_TEST_CASE(a_stop_leaves_no_visit_for_later) {
  std::size_t halves = 0;
  for (std::size_t round = 0; round < test::rounds(300); ++round) {
    auto visits = std::make_unique<pal::atomic<int>>(0);
    rt.block_on([&]() -> task<> {
      auto visiting = spawn(
          [&]() -> task<> { co_await on_each_worker([&](std::size_t) { visits->fetch_add(1); }); });
      if (round % 2 == 0) co_await yield();
      co_await visiting.cancel();
    });
    halves += visits->load() == 1;
    visits.reset();  // A late visit would be found by ASan.
  }
  BOOST_TEST(halves == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
