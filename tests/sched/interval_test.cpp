#include <chrono>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/sched/interval.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>

#include <sched/virtual_worker.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

// When ticks were due and came, in milliseconds after the first wait began.
struct ticks {
  std::vector<long> due;
  std::vector<long> came;
};

// Four ticks of 10 ms, with a pause of `pause` behind the second.
task<> take_four(missed_ticks missed, duration pause, ticks& seen) {
  interval every{10ms, missed};
  time_point start = now();
  for (int i = 0; i < 4; ++i) {
    tick each = co_await every.next();
    seen.due.push_back((each.due - start) / 1ms);
    seen.came.push_back((now() - start) / 1ms);
    if (i == 1) co_await sleep_for(pause);
  }
}

ticks four_ticks(missed_ticks missed, duration pause) {
  test::virtual_worker one;
  ticks seen;
  one.rt.block_on([&]() -> task<> { co_await take_four(missed, pause, seen); });
  return seen;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(interval_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(skips_missed_ticks_and_keeps_the_phase) {
  ticks seen = four_ticks(missed_ticks::skip, 35ms);
  BOOST_TEST(seen.due == (std::vector<long>{10, 20, 30, 60}));
  BOOST_TEST(seen.came == (std::vector<long>{10, 20, 55, 60}));
}

BOOST_AUTO_TEST_CASE(burst_gives_every_missed_tick_at_once) {
  ticks seen = four_ticks(missed_ticks::burst, 35ms);
  BOOST_TEST(seen.due == (std::vector<long>{10, 20, 30, 40}));
  BOOST_TEST(seen.came == (std::vector<long>{10, 20, 55, 55}));
}

BOOST_AUTO_TEST_CASE(delay_begins_a_new_phase_at_the_late_tick) {
  ticks seen = four_ticks(missed_ticks::delay, 35ms);
  BOOST_TEST(seen.due == (std::vector<long>{10, 20, 30, 65}));
}

BOOST_AUTO_TEST_CASE(a_tick_that_is_due_in_the_very_moment_is_not_missed) {
  ticks seen = four_ticks(missed_ticks::skip, 10ms);
  BOOST_TEST(seen.due == (std::vector<long>{10, 20, 30, 40}));
}

BOOST_AUTO_TEST_CASE(time_late_a_thousand_periods_do_not_drift) {
  std::size_t wrong = 0;
  rt.block_on([&]() -> task<> {
    interval every{7919us};  // No multiple of the wheel's tick.
    time_point start = now();
    for (int i = 1; i <= 1000; ++i) {
      tick each = co_await every.next();
      wrong += each.due != start + i * 7919us || now() < each.due;
    }
  });
  BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_CASE(the_first_tick_comes_one_period_after_the_first_wait) {
  rt.block_on([]() -> task<> {
    interval every{10ms};
    co_await sleep_for(100ms);
    time_point start = now();
    tick first = co_await every.next();
    BOOST_CHECK(first.due == start + 10ms);
  });
}

BOOST_AUTO_TEST_CASE(cancel_safe_a_wait_that_loses_a_race_has_taken_no_tick) {
  rt.block_on([]() -> task<> {
    interval every{10ms};
    time_point start = now();
    auto first = co_await select(every.next(), sleep_for(4ms));
    BOOST_TEST(first.index() == 1u);
    auto early = co_await timeout(4ms, every.next()).as_result();
    BOOST_TEST(early.has_error());
    tick each = co_await every.next();
    BOOST_CHECK(each.due == start + 10ms);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
