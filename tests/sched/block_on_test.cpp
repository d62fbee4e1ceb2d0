#include <stdexcept>
#include <string>

#include <boost/test/unit_test.hpp>

#include <troupe/pal/atomic.hpp>
#include <troupe/sched/block_on.hpp>
#include <troupe/task/yield.hpp>

#include <sched/two_workers.hpp>
#include <threads.hpp>
#include <thrown_misuse.hpp>

namespace troupe {

BOOST_FIXTURE_TEST_SUITE(block_on_, test::two_workers)

BOOST_AUTO_TEST_CASE(sched_blocking_is_refused_on_a_worker) {
  std::string text;
  rt.block_on([&]() -> task<> {
    text = test::misuse_of([&] { rt.block_on([] {}); });
    co_return;
  });
  BOOST_TEST(text.find("co_await") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_exception_in_making_the_task_leaves_the_runtime_usable) {
  struct throws_on_move {
    throws_on_move() = default;
    throws_on_move(throws_on_move&&) { throw std::runtime_error{"moved"}; }
  };
  BOOST_CHECK_THROW(rt.block_on([](throws_on_move) -> task<> { co_return; }, throws_on_move{}),
                    std::runtime_error);
  BOOST_TEST(rt.block_on([]() -> task<int> { co_return 1; }) == 1);
  BOOST_TEST(rt.block_on([] { return 2; }) == 2);
}

BOOST_AUTO_TEST_CASE(threads_that_block_at_the_same_time_all_get_their_values) {
  const int each = static_cast<int>(test::rounds(300));
  pal::atomic<int> wrong{0};
  test::race(4, [&](std::size_t self) {
    for (int i = 0; i < each; ++i) {
      int wanted = static_cast<int>(self) * 1000 + i;
      int got = rt.block_on([wanted]() -> task<int> {
        co_await yield();
        co_return wanted;
      });
      if (got != wanted) wrong.fetch_add(1);
    }
  });
  BOOST_TEST(wrong.load() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
