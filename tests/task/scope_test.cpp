#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/task/scope.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/stop.hpp>
#include <troupe/task/yield.hpp>

#include <manual_executor.hpp>
#include <play.hpp>
#include <task/gate.hpp>
#include <witness.hpp>

namespace troupe {

namespace {

struct by_hand {
  test::manual_executor exec;
  test::gate gate, second;
};

task<> pass(test::gate& awaited) { co_await awaited.pass(); }

task<> pass_with(test::gate& awaited, bool& gone) {
  test::witness local{gone};
  co_await awaited.pass();
}

// How a task ended.
enum class ending { none, value, failed, stopped };

template <class F>
task<> note_ending(F body, ending& how) {
  try {
    co_await body();
    how = ending::value;
  } catch (const std::exception&) {
    how = ending::failed;
  } catch (const canceled&) {
    how = ending::stopped;
  }
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(scope_, by_hand)

BOOST_AUTO_TEST_CASE(ends_after_the_last_of_its_tasks_and_gives_the_value_of_its_body) {
  int result = 0;
  auto main = spawn([&]() -> task<> {
    result = co_await scope([&](scope_handle inner) -> task<int> {
      inner.spawn(pass, std::ref(gate));
      inner.spawn([&]() -> task<> { co_await second.pass(); });
      co_return 42;
    });
  });
  exec.run_all();
  gate.open();
  exec.run_all();
  BOOST_TEST(result == 0);
  second.open();
  exec.run_all();
  BOOST_TEST(result == 42);
}

BOOST_AUTO_TEST_CASE(a_task_may_spawn_into_its_own_scope) {
  int ran = 0;
  auto main = spawn([&]() -> task<> {
    co_await scope([&](scope_handle inner) -> task<> {
      inner.spawn([&ran, inner]() mutable -> task<> {
        co_await yield();
        inner.spawn([&ran] { ++ran; });
        ++ran;
      });
      co_return;
    });
    ran += 10;
  });
  exec.run_all();
  BOOST_TEST(ran == 12);
}

BOOST_AUTO_TEST_CASE(a_reference_may_be_what_the_body_returns) {
  int value = 1;
  auto main = spawn([&]() -> task<> {
    int& same = co_await scope([&](scope_handle) -> task<int&> { co_return value; });
    same = 2;
  });
  exec.run_all();
  BOOST_TEST(value == 2);
}

BOOST_AUTO_TEST_CASE(the_first_failure_stops_the_rest_and_is_what_leaves_it) {
  bool gone = false;
  std::string text;
  auto main = spawn([&]() -> task<> {
    try {
      co_await scope([&](scope_handle inner) -> task<> {
        inner.spawn([&]() -> task<> { co_await pass_with(second, gone); });
        inner.spawn([]() -> task<> {
          co_await yield();
          throw std::runtime_error{"first"};
        });
        co_await gate.pass();
      });
    } catch (const std::runtime_error& error) {
      text = error.what();
      BOOST_TEST(gone);
    }
  });
  exec.run_all();
  BOOST_TEST(text == "first");
}

BOOST_AUTO_TEST_CASE(an_exception_of_its_body_stops_and_awaits_the_rest) {
  bool gone = false;
  ending how = ending::none;
  auto main = spawn(note_ending<std::function<task<>()>>, std::function<task<>()>{[&] {
                      return scope([&](scope_handle inner) -> task<> {
                        inner.spawn([&]() -> task<> { co_await pass_with(gate, gone); });
                        co_await yield();
                        throw std::runtime_error{"body"};
                      });
                    }},
                    std::ref(how));
  exec.run_all();
  BOOST_TEST(gone);
  BOOST_CHECK(how == ending::failed);
}

BOOST_AUTO_TEST_CASE(a_stop_of_the_parent_stops_and_awaits_all) {
  bool gone = false;
  ending how = ending::none;
  auto body = [&]() -> task<> {
    co_await scope([&](scope_handle inner) -> task<> {
      inner.spawn([&]() -> task<> { co_await pass_with(gate, gone); });
      co_return;
    });
  };
  auto main = spawn(note_ending<decltype(body)>, body, std::ref(how));
  exec.run_all();
  main.request_stop();
  exec.run_one();  // The parent passes it on,
  BOOST_TEST(!gone);
  BOOST_CHECK(how == ending::none);
  exec.run_all();  // and ends after its child.
  BOOST_TEST(gone);
  BOOST_CHECK(how == ending::stopped);
}

// Goal:   a stop does not take back the value of a scope in which all has ended well.
// Method: all orders of the way on of its task, of the stop and of the turns.
BOOST_AUTO_TEST_CASE(cancel_outcome_scope_in_every_order_of_an_end_and_a_stop) {
  int ended_after_a_stop = 0;
  sim::explore([&](sim::choices& choice) {
    test::manual_executor hands;
    test::gate of_child;
    bool is_asked = false, has_passed = false;
    int got = 0;
    auto main = spawn([&]() -> task<> {
      got = co_await scope([&](scope_handle inner) -> task<int> {
        inner.spawn([&]() -> task<> {
          co_await of_child.pass();
          has_passed = true;
          if (is_asked) ++ended_after_a_stop;
        });
        co_return 7;
      });
    });
    auto ask = [&] {
      is_asked = true;
      main.request_stop();
    };
    test::play(choice, hands, {[&] { of_child.open(); }, ask});
    if (got != (has_passed ? 7 : 0)) BOOST_ERROR("it gives " + std::to_string(got));
  });
  BOOST_TEST(ended_after_a_stop > 10);
}

// Goal:   a scope that begins after the stop request awaits what it has started, too.
BOOST_AUTO_TEST_CASE(stop_before_scope_leaves_no_task_behind) {
  bool body_ran = false;
  ending how = ending::none;
  auto body = [&]() -> task<> {
    std::vector<int> local(100, 1);
    co_await scope([&](scope_handle) -> task<> {
      body_ran = true;
      local.at(99) = 2;
      co_return;
    });
  };
  auto main = spawn(note_ending<decltype(body)>, body, std::ref(how));
  main.request_stop();
  exec.run_all();
  BOOST_CHECK(how == ending::stopped);
  BOOST_TEST(exec.live() == 0u);
  BOOST_TEST(!body_ran);
}

BOOST_AUTO_TEST_CASE(a_stop_through_the_handle_reaches_tasks_that_come_later) {
  ending how = ending::none;
  bool later_waited = false;
  auto body = [&]() -> task<> {
    co_await scope([&](scope_handle inner) -> task<> {
      inner.request_stop();
      inner.spawn([&]() -> task<> {
        co_await second.pass();
        later_waited = true;
      });
      co_await gate.pass();
    });
  };
  auto main = spawn(note_ending<decltype(body)>, body, std::ref(how));
  exec.run_all();
  BOOST_CHECK(how == ending::stopped);
  BOOST_TEST(!later_waited);
  BOOST_TEST(gate.enlisted() == 0);
}

BOOST_AUTO_TEST_CASE(scopes_nest) {
  std::vector<int> order;
  auto main = spawn([&]() -> task<> {
    co_await scope([&](scope_handle outer) -> task<> {
      outer.spawn([&]() -> task<> {
        co_await scope([&](scope_handle inner) -> task<> {
          inner.spawn([&]() -> task<> {
            co_await gate.pass();
            order.push_back(1);
          });
          co_return;
        });
        order.push_back(2);
      });
      co_return;
    });
    order.push_back(3);
  });
  exec.run_all();
  gate.open();
  exec.run_all();
  BOOST_TEST(order == (std::vector<int>{1, 2, 3}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
