#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/when_all.hpp>
#include <troupe/task/yield.hpp>

#include <collected_failures.hpp>
#include <manual_executor.hpp>
#include <play.hpp>
#include <task/gate.hpp>
#include <witness.hpp>

namespace troupe {

namespace {

struct by_hand {
  test::manual_executor exec;
  test::gate left, right;
};

task<int> pass(test::gate& awaited, int value) {
  co_await awaited.pass();
  co_return value;
}

task<int> pass_with(test::gate& awaited, bool& gone) {
  test::witness local{gone};
  co_await awaited.pass();
  co_return 0;
}

task<int> fail(std::string text) {
  co_await yield();
  throw std::runtime_error{text};
}

task<> nothing() { co_return; }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(when_all_, by_hand)

BOOST_AUTO_TEST_CASE(gives_a_tuple_of_all_values) {
  int place = 1;
  std::string text;
  int number = 0;
  auto main = spawn([&]() -> task<> {
    auto word = []() -> task<std::string> { co_return "word"; };
    auto refer = [](int& to) -> task<int&> { co_return to; };
    auto all = co_await when_all(word(), pass(left, 7), nothing(), refer(place));
    text = std::get<0>(all);
    number = std::get<1>(all);
    std::get<3>(all) = 2;
  });
  exec.run_all();
  BOOST_TEST(number == 0);
  left.open();
  exec.run_all();
  BOOST_TEST(text == "word");
  BOOST_TEST(number == 7);
  BOOST_TEST(place == 2);
}

BOOST_AUTO_TEST_CASE(gives_a_vector_in_the_order_of_the_tasks) {
  std::vector<int> got;
  auto main = spawn([&]() -> task<> {
    std::vector<task<int>> tasks;
    tasks.push_back(pass(left, 1));
    tasks.push_back(pass(right, 2));
    got = co_await when_all(std::move(tasks));
  });
  exec.run_all();
  right.open();
  exec.run_all();
  left.open();
  exec.run_all();
  BOOST_TEST(got == (std::vector<int>{1, 2}));
}

BOOST_AUTO_TEST_CASE(none_at_all_is_over_at_once) {
  bool over = false;
  auto main = spawn([&]() -> task<> {
    std::vector<task<>> none;
    co_await when_all(std::move(none));
    (void)co_await when_all();
    over = true;
  });
  exec.run_one();
  BOOST_TEST(over);
}

BOOST_AUTO_TEST_CASE(the_first_failure_stops_and_awaits_the_others) {
  bool gone = false;
  std::string text;
  auto main = spawn([&]() -> task<> {
    try {
      (void)co_await when_all(pass_with(left, gone), fail("second"), pass(right, 1));
    } catch (const std::runtime_error& error) {
      text = error.what();
      BOOST_TEST(gone);
    }
  });
  exec.run_all();
  BOOST_TEST(text == "second");
  BOOST_TEST(left.enlisted() + right.enlisted() == 0);
}

BOOST_AUTO_TEST_CASE(of_several_failures_the_first_in_order_is_thrown_and_none_is_unobserved) {
  std::string text;
  auto main = spawn([&]() -> task<> {
    auto spiteful = [this]() -> task<int> {
      try {
        co_await left.pass();
      } catch (const canceled&) {
        throw std::runtime_error{"first in order"};
      }
      co_return 0;
    };
    try {
      (void)co_await when_all(spiteful(), fail("first in time"));
    } catch (const std::runtime_error& error) {
      text = error.what();
    }
  });
  exec.run_all();
  BOOST_TEST(text == "first in order");
}

BOOST_AUTO_TEST_CASE(a_stop_reaches_all_and_awaits_them) {
  bool left_gone = false, right_gone = false, threw = false;
  auto main = spawn([&]() -> task<> {
    try {
      (void)co_await when_all(pass_with(left, left_gone), pass_with(right, right_gone));
    } catch (const canceled&) {
      threw = left_gone && right_gone;
    }
  });
  exec.run_all();
  main.request_stop();
  exec.run_all();
  BOOST_TEST(threw);
}

// Goal:   values that are all there are not taken back by a stop.
// Method: all orders of the children's ways on, of the stop and of the turns.
BOOST_AUTO_TEST_CASE(cancel_outcome_when_all_in_every_order_of_two_ends_and_a_stop) {
  int ended_after_a_stop = 0;
  sim::explore([&](sim::choices& choice) {
    test::manual_executor hands;
    test::gate first, second;
    bool is_asked = false;
    int passed = 0, sum = 0;
    auto main = spawn([&]() -> task<> {
      auto child = [&](test::gate& awaited) -> task<int> {
        co_await awaited.pass();
        ++passed;
        if (is_asked && passed == 2) ++ended_after_a_stop;
        co_return 7;
      };
      auto both = co_await when_all(child(first), child(second));
      sum = std::get<0>(both) + std::get<1>(both);
    });
    auto ask = [&] {
      is_asked = true;
      main.request_stop();
    };
    test::play(choice, hands, {[&] { first.open(); }, [&] { second.open(); }, ask});
    if (sum != (passed == 2 ? 14 : 0)) BOOST_ERROR("it gives " + std::to_string(sum));
  });
  BOOST_TEST(ended_after_a_stop > 10);
}

BOOST_AUTO_TEST_CASE(task_unobserved_a_failure_of_a_losing_branch_goes_to_the_sink) {
  test::collected_failures failures;
  auto main = spawn([&]() -> task<> {
    auto spiteful = [this](std::string text) -> task<> {
      try {
        co_await left.pass();
      } catch (const canceled&) {
        throw std::runtime_error{text};
      }
    };
    (void)co_await select(when_all(spiteful("first"), spiteful("second")), right.pass());
  });
  exec.run_all();
  right.open();
  exec.run_all();
  BOOST_TEST(failures.texts() == std::vector<std::string>{"first"});
}

BOOST_AUTO_TEST_CASE(a_losing_branch_of_select_stops_its_children) {
  bool gone = false;
  std::size_t won = 9;
  auto main = spawn([&]() -> task<> {
    auto first = co_await select(when_all(pass_with(left, gone), nothing()), right.pass());
    won = first.index();
    BOOST_TEST(gone);
  });
  exec.run_all();
  right.open();
  exec.run_all();
  BOOST_TEST(won == 1u);
}

// Goal:   however children end, fail and are stopped, it ends once, after all of them.
// Method: all orders of the outside events and of the ready turns.
BOOST_AUTO_TEST_CASE(every_order_of_ends_a_failure_and_a_stop_ends_it_once) {
  auto orders = sim::explore([](sim::choices& choice) {
    test::manual_executor hands;
    test::gate good, bad;
    int ends = 0;
    bool first_gone = true, second_gone = true, whole = true;
    auto main = spawn([&]() -> task<> {
      auto failing = [&]() -> task<> {
        test::witness local{second_gone};
        co_await bad.pass();
        throw std::runtime_error{"bad"};
      };
      try {
        (void)co_await when_all(pass_with(good, first_gone), failing());
      } catch (const std::runtime_error&) {
        whole = whole && bad.openings() == 0;
      } catch (const canceled&) {
      }
      ++ends;
      whole = whole && first_gone && second_gone;
    });
    test::play(choice, hands,
               {[&] { good.open(); }, [&] { bad.open(); }, [&] { main.request_stop(); }});
    whole = whole && ends == 1 && hands.live() == 0;
    if (!whole) BOOST_REQUIRE(whole);
  });
  BOOST_TEST(orders > 100u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
