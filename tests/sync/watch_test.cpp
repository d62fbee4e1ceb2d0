#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/watch.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <manual_executor.hpp>
#include <sched/two_workers.hpp>
#include <threads.hpp>
#include <thrown_misuse.hpp>

namespace troupe {

namespace {

using test::manual_executor;

task<> follow(watch_receiver<int> from, std::vector<int>& seen) {
  while (auto latest = co_await from.next()) seen.push_back(*latest);
  seen.push_back(-1);  // The end.
}

template <class End>
void drop(End& end) {
  auto gone = std::move(end);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(watch_)

BOOST_AUTO_TEST_CASE(the_initial_value_is_no_change) {
  manual_executor exec;
  auto ends = watch(7);
  BOOST_TEST(ends.rx.get() == 7);
  std::vector<int> seen;
  auto following = spawn(&follow, ends.rx, std::ref(seen));
  exec.run_all();
  BOOST_TEST(seen.empty());
  drop(ends.tx);
  exec.run_all();
  BOOST_TEST(seen == std::vector{-1});
  BOOST_TEST(ends.rx.get() == 7);
}

BOOST_AUTO_TEST_CASE(a_slow_receiver_skips_values_and_gets_the_latest) {
  manual_executor exec;
  auto ends = watch(0);
  std::vector<int> seen;
  spawn(&follow, ends.rx, std::ref(seen)).detach();
  exec.run_all();
  ends.tx.set(1);
  ends.tx.set(2);
  exec.run_all();
  BOOST_TEST(seen == std::vector{2});
  ends.tx.update([](int& n) { n += 40; });
  exec.run_all();
  BOOST_TEST(seen == (std::vector{2, 42}));
  drop(ends.tx);
  exec.run_all();
}

BOOST_AUTO_TEST_CASE(a_value_set_right_before_the_end_is_told_before_it) {
  manual_executor exec;
  auto ends = watch(0);
  std::vector<int> seen;
  spawn(&follow, ends.rx, std::ref(seen)).detach();
  exec.run_all();
  ends.tx.set(5);
  drop(ends.tx);
  exec.run_all();
  BOOST_TEST(seen == (std::vector{5, -1}));
}

BOOST_AUTO_TEST_CASE(the_end_comes_with_the_last_sender) {
  manual_executor exec;
  auto ends = watch(0);
  auto second = ends.tx;
  std::vector<int> seen;
  spawn(&follow, ends.rx, std::ref(seen)).detach();
  exec.run_all();
  drop(ends.tx);
  exec.run_all();
  BOOST_TEST(seen.empty());
  second.set(3);
  drop(second);
  exec.run_all();
  BOOST_TEST(seen == (std::vector{3, -1}));
}

BOOST_AUTO_TEST_CASE(each_receiver_has_a_version_of_its_own_and_a_copy_takes_it_over) {
  manual_executor exec;
  auto ends = watch(0);
  ends.tx.set(1);
  auto fresh = ends.rx;  // Has not seen it either.
  std::vector<bool> changed;
  spawn([&]() -> task<> {
    changed.push_back((co_await ends.rx.next()).has_value());
    auto up_to_date = ends.rx;
    changed.push_back((co_await fresh.next()).has_value());
    ends.tx.set(2);
    changed.push_back(up_to_date.get() == 2);
    drop(ends.tx);
    changed.push_back((co_await up_to_date.next()).has_value());  // It has got it.
    changed.push_back((co_await fresh.next()).has_value());
    changed.push_back((co_await fresh.next()).has_value());
  }).detach();
  exec.run_all();
  BOOST_TEST(changed == (std::vector{true, true, true, false, true, false}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(is_closed_tells_whether_somebody_can_look) {
  manual_executor exec;
  auto ends = watch(std::string{"a"});
  BOOST_TEST(!ends.tx.is_closed());
  {
    auto copy = ends.rx;
    drop(ends.rx);
    BOOST_TEST(!ends.tx.is_closed());
  }
  BOOST_TEST(ends.tx.is_closed());
  ends.tx.set("b");
  auto late = ends.tx.subscribe();
  BOOST_TEST(!ends.tx.is_closed());
  BOOST_TEST(late.get() == "b");
}

BOOST_AUTO_TEST_CASE(an_overwritten_value_ends_at_once_and_the_last_one_with_the_last_end) {
  manual_executor exec;
  auto first = std::make_shared<int>(1), second = std::make_shared<int>(2);
  {
    auto ends = watch(first);
    ends.tx.set(second);
    BOOST_TEST(first.use_count() == 1);
    drop(ends.tx);
    BOOST_TEST(second.use_count() == 2);
  }
  BOOST_TEST(second.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(an_update_that_throws_is_a_change_all_the_same) {
  manual_executor exec;
  auto ends = watch(0);
  std::vector<int> seen;
  spawn(&follow, ends.rx, std::ref(seen)).detach();
  exec.run_all();
  auto half_way = [](int& n) {
    n = 1;
    throw std::runtime_error{"half way"};
  };
  BOOST_CHECK_THROW(ends.tx.update(half_way), std::runtime_error);
  exec.run_all();
  BOOST_TEST(seen == std::vector{1});
  ends.tx.set(2);  // Not locked for ever.
  drop(ends.tx);
  exec.run_all();
}

BOOST_AUTO_TEST_CASE(cancel_safe_a_stopped_or_lost_wait_leaves_the_change_untold) {
  manual_executor exec;
  auto ends = watch(0);
  event other;
  std::size_t winner = 9;
  std::optional<bool> changed;
  spawn([&]() -> task<> {
    auto first = co_await select(ends.rx.next(), other.wait());
    winner = first.index();
    changed = (co_await ends.rx.next()).has_value();
  }).detach();
  auto stopped = spawn([](watch_receiver<int> mine) -> task<> { co_await mine.next(); }, ends.rx);
  exec.run_all();
  stopped.request_stop();
  exec.run_all();
  BOOST_TEST(stopped.done());
  other.set();
  exec.run_all();
  BOOST_TEST(winner == 1u);
  BOOST_TEST(!changed.has_value());
  ends.tx.set(1);
  exec.run_all();
  BOOST_TEST((changed == true));
}

BOOST_AUTO_TEST_CASE(a_moved_end_is_a_misuse) {
  test::thrown_misuse refused;
  auto ends = watch(0);
  auto tx = std::move(ends.tx);
  auto rx = std::move(ends.rx);
  BOOST_CHECK_THROW(ends.tx.set(1), test::misused);
  BOOST_CHECK_THROW((void)ends.rx.next(), test::misused);
}

// Goal:   the end is not missed when it comes while the wait begins.
BOOST_AUTO_TEST_CASE(an_end_by_a_foreign_thread_wakes_whoever_waits_or_is_about_to) {
  test::two_workers two;
  const std::size_t count = test::rounds(5'000);
  for (std::size_t i = 0; i < count; ++i) {
    auto ends = watch(0);
    std::vector<int> seen;
    auto following = two.rt.spawn([&]() -> task<> { co_await follow(ends.rx, seen); });
    if (i % 2 == 0) ends.tx.set(1);
    drop(ends.tx);
    two.rt.block_on([&]() -> task<> { co_await following; });
    BOOST_REQUIRE(seen.back() == -1);
  }
}

// Goal:   no receiver misses the latest value or the end, and none goes back in time.
BOOST_AUTO_TEST_CASE(the_latest_value_reaches_all_from_two_workers_and_foreign_threads) {
  test::two_workers two;
  const int count = static_cast<int>(test::rounds(20'000));
  struct pair {
    int first, second;
  };
  auto ends = watch(pair{0, 0});
  pal::atomic<int> wrong{0};
  auto follow_pairs = [&](watch_receiver<pair> from) -> task<int> {
    int last = 0;
    while (auto latest = co_await from.next()) {
      if (latest->first != latest->second || latest->first < last) wrong.fetch_add(1);
      last = latest->first;
    }
    co_return last;
  };
  std::vector<join_handle<int>> following;
  for (int i = 0; i < 3; ++i) following.push_back(two.rt.spawn(follow_pairs, ends.rx));
  {
    std::vector<watch_sender<pair>> senders{ends.tx, ends.tx};
    drop(ends.tx);
    test::race(2, [&](std::size_t i) {
      auto mine = std::move(senders[i]);
      for (int n = 0; n < count; ++n) {
        mine.update([](pair& now) {
          ++now.first;
          ++now.second;
        });
      }
    });
  }
  two.rt.block_on([&]() -> task<> {
    for (auto& each : following) BOOST_TEST(co_await each == 2 * count);
  });
  BOOST_TEST(wrong.load() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
