#include <cstddef>
#include <string>
#include <utility>

#include <boost/test/unit_test.hpp>

#include <troupe/base/result.hpp>
#include <troupe/task/failure.hpp>
#include <troupe/task/operation.hpp>
#include <troupe/task/shield.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/stop.hpp>
#include <troupe/task/yield.hpp>

#include <manual_executor.hpp>
#include <task/gate.hpp>
#include <witness.hpp>

// What awaiting an operation does: budget, stop, results; and the operations that are only that.

namespace troupe {

namespace {

struct by_hand {
  test::manual_executor exec;
  test::gate gate;
};

// Is ready, or fails, at once.
class at_once : public detail::fallible_operation<at_once> {
public:
  static constexpr const char* name = "nothing";
  explicit at_once(result<int> outcome) : outcome_{std::move(outcome)} {}
  bool poll() noexcept { return true; }
  bool enlist(waker) noexcept { return false; }
  void delist() noexcept {}
  result<int> take() { return outcome_; }

private:
  result<int> outcome_;
};

task<> hold(test::gate& awaited, bool& gone) {
  test::witness local{gone};
  co_await awaited.pass();
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(operation_, by_hand)

BOOST_AUTO_TEST_CASE(a_result_is_unwrapped_to_its_value_or_thrown) {
  int got = 0;
  std::string text;
  auto main = spawn([&]() -> task<> {
    got = co_await at_once{5};
    try {
      (void)co_await at_once{make_error_code(errc::closed)};
    } catch (const system_error& error) {
      BOOST_CHECK(error.code() == errc::closed);
      text = error.what();
    }
  });
  exec.run_all();
  BOOST_TEST(got == 5);
  BOOST_TEST(text.find("closed") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(as_result_hands_it_over) {
  bool right = false;
  auto main = spawn([&]() -> task<> {
    result<int> value = co_await at_once{5}.as_result();
    result<int> error = co_await at_once{make_error_code(errc::full)}.as_result();
    right = value.has_value() && *value == 5 && error.error() == errc::full;
  });
  exec.run_all();
  BOOST_TEST(right);
}

BOOST_AUTO_TEST_CASE(sched_fair_gives_way_after_128_operations_that_never_wait) {
  std::size_t done = 0, done_before_other = 0;
  auto main = spawn([&]() -> task<> {
    for (int i = 0; i < 1000; ++i) {
      gate.open();
      co_await gate.pass();
      ++done;
    }
  });
  spawn([&] { done_before_other = done; }).detach();
  exec.run_all();
  BOOST_TEST(done == 1000u);
  BOOST_TEST(done_before_other == 127u);  // The 128th is in hand when it gives way.
}

BOOST_AUTO_TEST_CASE(what_was_committed_when_the_budget_ended_survives_a_stop) {
  int passed = 0;
  bool stopped = false;
  auto main = spawn([&]() -> task<> {
    try {
      for (int i = 0; i < 1000; ++i) {
        gate.open();
        co_await gate.pass();
        ++passed;
      }
    } catch (const canceled&) {
      stopped = true;
    }
  });
  exec.run_one();
  BOOST_TEST(passed == 127);
  BOOST_TEST(gate.openings() == 0);
  main.request_stop();
  exec.run_all();
  BOOST_TEST(passed == 128);
  BOOST_TEST(stopped);
  BOOST_TEST(gate.openings() == 1);  // The next one was not begun.
}

BOOST_AUTO_TEST_CASE(stop_before_the_await_takes_nothing_although_it_is_ready) {
  bool stopped = false;
  gate.open();
  auto main = spawn([&]() -> task<> {
    try {
      co_await gate.pass();
    } catch (const canceled&) {
      stopped = stop_requested();
    }
  });
  main.request_stop();
  exec.run_all();
  BOOST_TEST(stopped);
  BOOST_TEST(gate.openings() == 1);
}

BOOST_AUTO_TEST_CASE(wake_and_stop_in_either_order_commit_what_is_ready) {
  for (bool wake_first : {true, false}) {
    test::gate each;
    bool passed = false;
    auto main = spawn([&]() -> task<> {
      co_await each.pass();
      passed = true;
    });
    exec.run_all();
    if (wake_first) each.open();
    main.request_stop();
    if (!wake_first) each.open();
    exec.run_all();
    BOOST_TEST(passed);
    BOOST_TEST(each.openings() == 0);
    BOOST_TEST(each.enlisted() == 0);
  }
}

BOOST_AUTO_TEST_CASE(no_wait_is_left_enlisted_whatever_ends_it) {
  auto main = spawn([&]() -> task<> { co_await gate.pass(); });
  exec.run_all();
  for (int i = 0; i < 10; ++i) {
    gate.wake_in_vain();
    exec.run_all();
    BOOST_TEST(gate.enlisted() == 1);
  }
  main.request_stop();
  exec.run_all();
  BOOST_TEST(gate.enlisted() == 0);
}

BOOST_AUTO_TEST_CASE(yield_goes_behind_all_that_is_ready) {
  std::string order;
  auto main = spawn([&]() -> task<> {
    order += 'a';
    co_await yield();
    order += 'd';
  });
  spawn([&] { order += 'b'; }).detach();
  spawn([&] { order += 'c'; }).detach();
  exec.run_all();
  BOOST_TEST(order == "abcd");
}

BOOST_AUTO_TEST_CASE(yield_of_a_stopped_task_throws) {
  bool went_on = false;
  auto main = spawn([&]() -> task<> {
    co_await yield();
    co_await yield();
    went_on = true;
  });
  exec.run_one();
  main.request_stop();
  exec.run_all();
  BOOST_TEST(main.done());
  BOOST_TEST(!went_on);
}

BOOST_AUTO_TEST_CASE(shield_keeps_a_stop_away_until_its_task_has_ended) {
  bool gone = false, stopped_after = false;
  auto main = spawn([&]() -> task<> {
    co_await shield(hold(gate, gone));
    BOOST_TEST(gone);
    BOOST_TEST(stop_requested());
    try {
      co_await gate.pass();
    } catch (const canceled&) {
      stopped_after = true;
    }
  });
  exec.run_all();
  main.request_stop();
  exec.run_all();
  BOOST_TEST(!gone);
  gate.open();
  exec.run_all();
  BOOST_TEST(stopped_after);
}

BOOST_AUTO_TEST_CASE(shield_begins_also_after_the_stop_and_gives_the_value) {
  int got = 0;
  auto main = spawn([&]() -> task<> {
    auto clean_up = []() -> task<int> {
      co_await yield();
      co_return 8;
    };
    got = co_await shield(clean_up());
  });
  main.request_stop();
  exec.run_all();
  BOOST_TEST(got == 8);
}

BOOST_AUTO_TEST_CASE(describe_says_what_an_exception_says_of_itself) {
  BOOST_TEST(describe(std::make_exception_ptr(std::runtime_error{"text"})) == "text");
  BOOST_TEST(describe(std::make_exception_ptr(canceled{})) == "canceled by a stop request");
  BOOST_TEST(describe(std::make_exception_ptr(1)) == "an object that is no std::exception");
}

BOOST_AUTO_TEST_CASE(stop_requested_is_false_outside_of_a_task) { BOOST_TEST(!stop_requested()); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
