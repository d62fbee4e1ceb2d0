#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/base/result.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/sync/oneshot.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/shield.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/when_all.hpp>
#include <troupe/task/yield.hpp>

#include <sched/virtual_worker.hpp>
#include <witness.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

task<int> give_after(duration length, int value) {
  co_await sleep_for(length);
  co_return value;
}

task<> sleep_an_hour() { co_await sleep_for(1h); }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(timeout_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(gives_what_comes_in_time) {
  rt.block_on([]() -> task<> {
    time_point start = now();
    BOOST_TEST((co_await timeout(10ms, give_after(5ms, 1))) == 1);
    result<int> as_result = co_await timeout(10ms, give_after(5ms, 2)).as_result();
    BOOST_TEST(as_result.value() == 2);
    BOOST_TEST((co_await timeout_at(now() + 10ms, give_after(5ms, 3))) == 3);
    BOOST_CHECK(now() - start < 16ms);
  });
}

BOOST_AUTO_TEST_CASE(gives_a_bool_too) {
  rt.block_on([]() -> task<> {
    auto truth = []() -> task<bool> { co_return true; };
    BOOST_TEST(co_await timeout(10ms, truth()));
    result<bool> as_result = co_await timeout(10ms, truth()).as_result();
    BOOST_TEST(as_result.value());
  });
}

BOOST_AUTO_TEST_CASE(a_yield_in_time_goes_behind_the_others) {
  rt.block_on([]() -> task<> {
    int others_ran = 0;
    for (int i = 0; i < 3; ++i) {
      spawn([&others_ran]() -> task<> {
        ++others_ran;
        co_return;
      });
    }
    co_await timeout(1h, yield());
    BOOST_TEST(others_ran == 3);
    for (int i = 0; i < 10; ++i) {  // Whichever branch is looked at first.
      auto first = co_await select(yield(), sleep_for(1h));
      BOOST_TEST(first.index() == 0u);
    }
  });
}

// An operation that is never ready and says of its first wait that it might be by now.
class restless {
public:
  static constexpr const char* name = "nothing";
  bool poll() noexcept { return false; }
  bool enlist(waker) noexcept { return std::exchange(has_refused_, true); }
  void delist() noexcept {}
  void take() noexcept {}

private:
  bool has_refused_ = false;
};

BOOST_AUTO_TEST_CASE(a_yield_goes_behind_the_others_also_beside_one_that_looks_again) {
  rt.block_on([]() -> task<> {
    for (int i = 0; i < 10; ++i) {
      bool other_ran = false;
      spawn([&other_ran]() -> task<> {
        other_ran = true;
        co_return;
      });
      auto first = co_await select(yield(), restless{});
      BOOST_TEST(first.index() == 0u);
      BOOST_TEST(other_ran);
    }
  });
}

BOOST_AUTO_TEST_CASE(a_task_that_yields_in_time_can_be_stopped) {
  rt.block_on([]() -> task<> {
    auto busy = spawn([]() -> task<> {
      for (;;) co_await timeout(1h, yield());
    });
    co_await yield();
    co_await busy.cancel();
    BOOST_TEST(busy.done());
  });
}

BOOST_AUTO_TEST_CASE(throws_timed_out_when_the_time_is_over) {
  rt.block_on([]() -> task<> {
    event never;
    time_point start = now();
    bool threw = false;
    try {
      co_await timeout(10ms, never.wait());
    } catch (const system_error& error) {
      threw = error.code() == errc::timed_out;
    }
    BOOST_TEST(threw);
    BOOST_CHECK((now() - start >= 10ms && now() - start < 11ms));
  });
}

BOOST_AUTO_TEST_CASE(cancel_structured_a_late_task_has_unwound_before_it_returns) {
  rt.block_on([]() -> task<> {
    bool gone = false;
    auto slow = [&]() -> task<int> {
      test::witness local{gone};
      co_return co_await give_after(1h, 1);
    };
    result<int> late = co_await timeout(10ms, slow()).as_result();
    BOOST_TEST(gone);
    BOOST_CHECK(late.error() == errc::timed_out);
  });
}

BOOST_AUTO_TEST_CASE(cancel_outcome_of_a_task_that_ends_in_the_moment_in_which_its_time_is_over) {
  rt.block_on([]() -> task<> {
    auto failing = []() -> task<int> {
      co_await sleep_for(10ms);
      throw std::runtime_error{"its own"};
    };
    for (int i = 0; i < 10; ++i) {  // Whichever branch is looked at first.
      result<int> got = co_await timeout(10ms, give_after(10ms, 7)).as_result();
      BOOST_TEST((got.has_value() && *got == 7));
      BOOST_CHECK_THROW((void)co_await timeout(10ms, failing()), std::runtime_error);
    }
  });
}

// Waits for ever; asked to stop, it ends as if it had not been.
task<int> go_on(bool fails) {
  event never;
  try {
    co_await never.wait();
  } catch (const canceled&) {
    if (fails) throw std::runtime_error{"its own"};
  }
  co_return 7;
}

BOOST_AUTO_TEST_CASE(cancel_outcome_of_a_task_that_does_not_end_by_its_stop) {
  rt.block_on([]() -> task<> {
    for (int i = 0; i < 10; ++i) {
      BOOST_TEST((co_await timeout(10ms, go_on(false))) == 7);
      BOOST_CHECK_THROW((void)co_await timeout(10ms, go_on(true)), std::runtime_error);
      BOOST_TEST((co_await timeout(10ms, timeout(1h, go_on(false)))) == 7);
    }
  });
}

BOOST_AUTO_TEST_CASE(cancel_outcome_of_a_task_whose_limit_is_stopped) {
  rt.block_on([]() -> task<> {
    auto bounded = [](bool fails) -> task<int> { co_return co_await timeout(1h, go_on(fails)); };
    auto kept = spawn(bounded, false), failed = spawn(bounded, true);
    co_await sleep_for(1ms);
    co_await kept.cancel();
    co_await failed.cancel();
    BOOST_TEST((co_await kept) == 7);
    BOOST_CHECK_THROW((void)co_await failed, std::runtime_error);
  });
}

BOOST_AUTO_TEST_CASE(passes_on_errors_and_exceptions) {
  rt.block_on([]() -> task<> {
    auto ends = oneshot<int>();
    {
      auto dropped = std::move(ends.tx);
    }
    result<int> closed = co_await timeout(10ms, ends.rx).as_result();
    BOOST_CHECK(closed.error() == errc::closed);
    auto failing = []() -> task<int> {
      co_await sleep_for(1ms);
      throw std::runtime_error{"its own"};
    };
    std::string text;
    try {
      (void)co_await timeout(10ms, failing());
    } catch (const std::runtime_error& error) {
      text = error.what();
    }
    BOOST_TEST(text == "its own");
  });
}

BOOST_AUTO_TEST_CASE(a_stop_passes_through_to_the_task) {
  rt.block_on([]() -> task<> {
    bool gone = false, canceled_after = false;
    auto bounded = spawn([&]() -> task<> {
      auto slow = [&]() -> task<> {
        test::witness local{gone};
        co_await sleep_for(1h);
      };
      try {
        co_await timeout(2h, slow());
      } catch (const canceled&) {
        canceled_after = gone;
      }
    });
    co_await sleep_for(1ms);
    co_await bounded.cancel();
    BOOST_TEST(canceled_after);
  });
}

BOOST_AUTO_TEST_CASE(the_inner_of_two_limits_counts) {
  rt.block_on([]() -> task<> {
    time_point start = now();
    result<int> inner = co_await timeout(1s, timeout(10ms, give_after(1h, 1))).as_result();
    BOOST_CHECK(inner.error() == errc::timed_out);
    BOOST_CHECK(now() - start < 11ms);
    result<int> outer = co_await timeout(10ms, timeout(1s, give_after(1h, 1))).as_result();
    BOOST_CHECK(outer.error() == errc::timed_out);
    BOOST_CHECK(now() - start < 22ms);
  });
}

BOOST_AUTO_TEST_CASE(no_time_at_all_and_no_end_of_time_are_limits_too) {
  rt.block_on([]() -> task<> {
    event never;
    BOOST_TEST((co_await timeout(0ms, never.wait()).as_result()).has_error());
    BOOST_TEST((co_await timeout(-1s, never.wait()).as_result()).has_error());
    BOOST_TEST((co_await timeout(duration::max(), give_after(1ms, 1))) == 1);
    BOOST_TEST((co_await timeout_at(time_point::max(), give_after(1ms, 2))) == 2);
    BOOST_TEST((co_await timeout_at(time_point::min(), never.wait()).as_result()).has_error());
  });
}

// An operation that is never ready; whoever wakes it finds its key.
class never_ready {
public:
  struct seen {
    std::atomic<std::uint64_t> key{0};
    std::atomic<int> looks{0};
  };
  static constexpr const char* name = "nothing";
  explicit never_ready(seen& to) noexcept : to_{&to} {}
  bool poll() noexcept {
    to_->looks.fetch_add(1);
    return false;
  }
  bool enlist(waker key) noexcept {
    to_->key.store(key.bits());
    return true;
  }
  void delist() noexcept {}
  void take() noexcept {}

private:
  seen* to_;
};

task<> wake_all_the_time(never_ready::seen& whom) {
  for (;;) {
    waker::from_bits(whom.key.load()).wake();
    co_await yield();
  }
}

// By the real clock: only there a long limit lies on the shelf first.
BOOST_AUTO_TEST_CASE(a_long_limit_is_never_early_and_counts_from_the_first_wait) {
  runtime real;
  real.block_on([]() -> task<> {
    time_point start = now();
    event never;
    result<void> outcome = co_await timeout(100ms, never.wait()).as_result();
    BOOST_TEST((outcome.error() == errc::timed_out));
    BOOST_CHECK(now() - start >= 100ms);
    start = now();
    never_ready::seen seen;
    auto restless = spawn(wake_all_the_time, std::ref(seen));
    outcome = co_await timeout(100ms, never_ready{seen}).as_result();
    co_await restless.cancel();
    BOOST_TEST((outcome.error() == errc::timed_out));
    BOOST_TEST(seen.looks.load() > 10);
    BOOST_CHECK(now() - start >= 100ms);
  });
}

BOOST_AUTO_TEST_CASE(a_host_is_told_when_a_long_limit_is_over_and_no_earlier_time) {
  runtime_config host;
  host.caller_driven = true;
  host.network = false;
  runtime driven{host};
  event never;
  auto limited = driven.spawn([&never]() -> task<> { co_await timeout(1h, never.wait()); });
  (void)driven.poll(100);
  auto next = driven.time_to_next_timer();
  BOOST_REQUIRE(next.has_value());
  BOOST_CHECK((*next > 30min && *next <= 1h + 1ms));
  never.set();
  (void)driven.poll(100);
  BOOST_TEST(limited.done());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(sleep_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(lengths_of_zero_and_less_do_not_wait) {
  rt.block_on([]() -> task<> {
    time_point start = now();
    co_await sleep_for(0ns);
    co_await sleep_for(-1h);
    co_await sleep_for(duration::min());
    co_await sleep_until(start);
    co_await sleep_until(time_point::min());
    BOOST_CHECK(now() == start);
  });
}

BOOST_AUTO_TEST_CASE(now_is_the_runtimes_clock_inside_and_the_real_one_outside) {
  clock.advance(5h);
  time_point inside = rt.block_on([]() -> task<time_point> { co_return now(); });
  BOOST_CHECK(inside == time_point{5h});
  time_point before = pal::real_clock().now();
  BOOST_CHECK(now() >= before);
}

BOOST_AUTO_TEST_CASE(a_moved_clock_wakes_who_is_due_when_somebody_looks) {
  rt.block_on([this]() -> task<> {
    bool woken = false;
    auto sleeper = spawn([&]() -> task<> {
      co_await sleep_for(1h);
      woken = true;
    });
    co_await sleep_for(1ms);
    clock.advance(2h);
    co_await sleep_for(1us);
    BOOST_TEST(woken);
    co_await sleeper;
  });
}

// Goal:   what an inner race has taken is not lost when the time is over while its losers unwind.
// Method: a channel and a task race; the message comes first, the task takes an hour to unwind, and
//         the limit of ten milliseconds passes meanwhile.
BOOST_AUTO_TEST_CASE(cancel_safe_what_a_race_has_taken_is_kept_while_its_loser_unwinds) {
  rt.block_on([]() -> task<> {
    auto ends = mpsc<int>(4);
    auto unwind_slowly = []() -> task<> {
      bool stopped = false;
      try {
        event never;
        co_await never.wait();
      } catch (const canceled&) {
        stopped = true;
      }
      if (stopped) co_await shield(sleep_an_hour());
    };
    auto sending = spawn([&]() -> task<> {
      co_await sleep_for(5ms);
      co_await ends.tx.send(7);
    });
    time_point start = now();
    auto first = co_await timeout(10ms, select(ends.rx.recv(), unwind_slowly()));
    BOOST_REQUIRE(first.index() == 0u);
    BOOST_TEST(std::get<0>(first).value() == 7);
    BOOST_CHECK(now() - start >= 1h);
    co_await sending;
  });
}

BOOST_AUTO_TEST_CASE(years_pass_in_no_time) {
  rt.block_on([]() -> task<> {
    time_point start = now();
    std::vector<task<>> sleeps;
    for (auto length :
         {std::chrono::hours{24 * 365 * 10}, std::chrono::hours{1}, std::chrono::hours{24 * 365}}) {
      sleeps.push_back([](duration wanted) -> task<> { co_await sleep_for(wanted); }(length));
    }
    co_await when_all(std::move(sleeps));
    BOOST_CHECK(now() - start >= std::chrono::hours{24 * 365 * 10});
    BOOST_CHECK(now() - start < std::chrono::hours{24 * 365 * 10} + 1ms);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
