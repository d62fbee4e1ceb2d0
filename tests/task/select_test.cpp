#include <array>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/task/select.hpp>
#include <troupe/task/shield.hpp>
#include <troupe/task/spawn.hpp>
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

task<int> give(int value) { co_return value; }

task<> pass(test::gate& way) { co_await way.pass(); }

task<> hold(test::gate& until, bool& gone) {
  test::witness local{gone};
  co_await until.pass();
}

// An operation with children, whose end the test plays.
class scripted_child {
public:
  static constexpr const char* name = "a scripted child";
  struct script {
    bool ended = false, stopped = false;
    int polls_before_end = -1;  // It ends right after so many polls; never for -1.
    int enlisted = 0;
  };
  explicit scripted_child(script& by) noexcept : by_{&by} {}
  void start() noexcept {}
  void stop() noexcept { by_->stopped = true; }
  bool poll() noexcept {
    bool seen = by_->ended;
    if (by_->polls_before_end > 0 && --by_->polls_before_end == 0) by_->ended = true;
    return seen;
  }
  bool enlist(waker) noexcept {
    if (by_->ended) return false;
    ++by_->enlisted;
    return true;
  }
  void delist() noexcept {}
  void take() noexcept {}

private:
  script* by_;
};

// An operation with children that cannot be started, and is then not there at all.
struct barren {
  static constexpr const char* name = "a barren operation";
  void start() { throw std::bad_alloc{}; }
  void stop() noexcept { BOOST_ERROR("stopped"); }
  bool poll() noexcept {
    BOOST_ERROR("polled");
    return false;
  }
  bool enlist(waker) noexcept {
    BOOST_ERROR("enlisted");
    return false;
  }
  void delist() noexcept {}
  void take() noexcept {}
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(select_, by_hand)

BOOST_AUTO_TEST_CASE(yields_the_first_operation_and_leaves_the_other_untouched) {
  std::size_t won = 9;
  auto main = spawn([&]() -> task<> {
    auto first = co_await select(left.pass(), right.pass());
    won = first.index();
  });
  exec.run_all();
  BOOST_TEST(left.enlisted() == 1);
  BOOST_TEST(right.enlisted() == 1);
  right.open();
  left.open();  // Comes second: both are ready when the task looks, and one is left.
  exec.run_all();
  BOOST_TEST(won < 2u);
  BOOST_TEST(left.openings() + right.openings() == 1);
  BOOST_TEST(left.enlisted() + right.enlisted() == 0);
}

BOOST_AUTO_TEST_CASE(looks_at_its_ready_branches_in_turn) {
  std::array<int, 3> wins{};
  test::gate middle;
  auto main = spawn([&]() -> task<> {
    for (int i = 0; i < 30; ++i) {
      left.open();
      middle.open();
      right.open();
      auto first = co_await select(left.pass(), middle.pass(), right.pass());
      ++wins[first.index()];
    }
  });
  exec.run_all();
  for (int each : wins) BOOST_TEST(each >= 8);
}

BOOST_AUTO_TEST_CASE(a_wake_in_vain_ends_nothing) {
  bool over = false;
  auto main = spawn([&]() -> task<> {
    (void)co_await select(left.pass(), right.pass());
    over = true;
  });
  exec.run_all();
  left.wake_in_vain();
  exec.run_all();
  BOOST_TEST(!over);
  BOOST_TEST(left.enlisted() == 1);
  left.open();
  exec.run_all();
  BOOST_TEST(over);
}

BOOST_AUTO_TEST_CASE(takes_tasks_values_and_more_than_three_branches) {
  std::variant<std::monostate, std::monostate, int, std::monostate> won;
  auto main = spawn(
      [&]() -> task<> { won = co_await select(left.pass(), right.pass(), give(7), left.pass()); });
  exec.run_all();
  BOOST_TEST(won.index() == 2u);
  BOOST_TEST(std::get<2>(won) == 7);
}

BOOST_AUTO_TEST_CASE(a_losing_task_has_unwound_before_it_returns) {
  bool gone = false, seen_gone = false;
  auto main = spawn([&]() -> task<> {
    (void)co_await select(hold(left, gone), right.pass());
    seen_gone = gone;
  });
  exec.run_all();
  right.open();
  exec.run_all();
  BOOST_TEST(seen_gone);
  BOOST_TEST(exec.live() == 0u);
}

BOOST_AUTO_TEST_CASE(cancel_structured_a_shielded_branch_that_loses_is_awaited) {
  bool gone = false;
  auto main = spawn([&]() -> task<> {
    auto first = co_await select(shield(hold(left, gone)), right.pass());
    BOOST_TEST(first.index() == 1u);
    BOOST_TEST(gone);
  });
  exec.run_all();
  right.open();
  exec.run_all();
  BOOST_TEST(!gone);  // Nobody has asked it to stop.
  BOOST_TEST(!main.done());
  left.open();
  exec.run_all();
  BOOST_TEST(main.done());
  BOOST_TEST(exec.live() == 0u);
}

BOOST_AUTO_TEST_CASE(the_exception_of_the_winner_leaves_it) {
  std::string text;
  auto main = spawn([&]() -> task<> {
    auto failing = []() -> task<int> {
      co_await yield();
      throw std::runtime_error{"branch"};
    };
    try {
      (void)co_await select(left.pass(), failing());
    } catch (const std::runtime_error& error) {
      text = error.what();
    }
  });
  exec.run_all();
  BOOST_TEST(text == "branch");
}

BOOST_AUTO_TEST_CASE(task_unobserved_exception_of_a_losing_task_goes_to_the_sink) {
  test::collected_failures failures;
  auto main = spawn([&]() -> task<> {
    auto spiteful = [this]() -> task<> {
      try {
        co_await left.pass();
      } catch (const canceled&) {
        throw std::runtime_error{"loser"};
      }
    };
    (void)co_await select(spiteful(), right.pass());
  });
  exec.run_all();
  right.open();
  exec.run_all();
  BOOST_TEST(failures.texts() == std::vector<std::string>{"loser"});
}

// Goal:   a stop hides nothing of what a child has done: its value or its failure is the select's.
// Method: all orders of the child's way on, of the stop and of the turns.
BOOST_AUTO_TEST_CASE(cancel_outcome_select_in_every_order_of_an_end_and_a_stop) {
  test::collected_failures failures;
  int ended_after_a_stop = 0;
  sim::explore([&](sim::choices& choice) {
    test::manual_executor hands;
    test::gate never, of_child;
    bool fails = choice.pick(2) == 0, is_asked = false, has_passed = false;
    std::string outcome;
    auto main = spawn([&]() -> task<> {
      auto child = [&]() -> task<int> {
        co_await of_child.pass();
        has_passed = true;
        if (is_asked) ++ended_after_a_stop;
        if (fails) throw std::runtime_error{"failed"};
        co_return 7;
      };
      try {
        auto first = co_await select(never.pass(), child());
        outcome = std::to_string(std::get<1>(first));
      } catch (const std::runtime_error& error) {
        outcome = error.what();
      } catch (const canceled&) {
        outcome = "canceled";
      }
    });
    auto ask = [&] {
      is_asked = true;
      main.request_stop();
    };
    test::play(choice, hands, {[&] { of_child.open(); }, ask});
    const char* of_the_child = fails ? "failed" : "7";
    if (outcome != (has_passed ? of_the_child : "canceled")) BOOST_ERROR("it gives " + outcome);
  });
  BOOST_TEST(ended_after_a_stop > 10);
  BOOST_TEST(failures.texts().empty());
}

BOOST_AUTO_TEST_CASE(a_stop_takes_every_branch_back_and_awaits_the_tasks) {
  bool gone = false, canceled_after_gone = false;
  auto main = spawn([&]() -> task<> {
    try {
      (void)co_await select(hold(left, gone), right.pass());
    } catch (const canceled&) {
      canceled_after_gone = gone;
    }
  });
  exec.run_all();
  main.request_stop();
  exec.run_all();
  BOOST_TEST(canceled_after_gone);
  BOOST_TEST(right.enlisted() == 0);
}

BOOST_AUTO_TEST_CASE(cancel_structured_a_branch_that_cannot_start_stops_those_that_run) {
  for (bool is_also_stopped : {false, true}) {
    bool gone = false, thrown = false, unwound = false;
    test::gate until_unwound;
    auto hold_long = [&]() -> task<> {
      test::witness local{gone};
      try {
        co_await left.pass();
      } catch (const canceled&) {
        unwound = true;
      }
      co_await shield(pass(until_unwound));
    };
    scripted_child::script never_started;
    auto main = spawn([&]() -> task<> {
      try {
        co_await select(hold_long(), barren{}, scripted_child{never_started});
      } catch (const std::bad_alloc&) {
        BOOST_TEST(unwound);
        BOOST_TEST(gone);
        thrown = true;
      }
    });
    exec.run_all();
    BOOST_TEST(!thrown);
    if (is_also_stopped) {
      main.request_stop();
      exec.run_all();
    }
    until_unwound.open();
    exec.run_all();
    BOOST_TEST(thrown);
    BOOST_TEST(!never_started.stopped);
    BOOST_TEST(never_started.enlisted == 0);
  }
}

BOOST_AUTO_TEST_CASE(stop_before_select_starts_no_branch) {
  bool gone = true;
  auto main = spawn([&]() -> task<> {
    left.open();
    (void)co_await select(hold(right, gone), left.pass());
  });
  main.request_stop();
  exec.run_all();
  BOOST_TEST(gone);  // Never made.
  BOOST_TEST(left.openings() == 1);
}

BOOST_AUTO_TEST_CASE(a_handle_that_loses_can_still_be_awaited) {
  int got = 0;
  auto main = spawn([&]() -> task<> {
    auto other = spawn([this]() -> task<int> {
      co_await left.pass();
      co_return 5;
    });
    (void)co_await select(other, right.pass());
    got = co_await other;
  });
  exec.run_all();
  right.open();
  exec.run_all();
  BOOST_TEST(got == 0);
  left.open();
  exec.run_all();
  BOOST_TEST(got == 5);
}

// Goal:   a loser that ends just before the select would sleep is not waited for in vain.
// Method: the child ends between the false poll() and the enlist(), or inside the latter, after any
//         look: enlist() must refuse, or have enlisted somebody.
BOOST_AUTO_TEST_CASE(loser_ends_between_poll_and_enlist_is_seen) {
  for (int looks = 0; looks <= 3; ++looks) {
    scripted_child::script child;
    left.open();
    detail::select_operation<test::gate::pass_operation, scripted_child> race{
        std::source_location{}, left.pass(), scripted_child{child}};
    race.start();
    BOOST_TEST(!race.poll());
    BOOST_TEST(child.stopped);
    child.ended = looks == 0;
    child.polls_before_end = looks;
    child.enlisted = 0;
    bool sleeps = race.enlist(waker{});
    BOOST_TEST(sleeps == (child.enlisted > 0), "ended after " << looks << " looks");
  }
}

// Goal:   whatever the order in which branches end and a stop comes, the select ends, once, and
//         nothing is lost: each opening is used or still there.
// Method: all orders of the outside events and of the ready turns.
BOOST_AUTO_TEST_CASE(cancel_safe_select_in_every_order_of_ready_branches_and_a_stop) {
  auto orders = sim::explore([](sim::choices& choice) {
    test::manual_executor hands;
    test::gate plain, of_child;
    int ends = 0, used = 0;
    bool gone = true;
    auto main = spawn([&]() -> task<> {
      auto child = [&]() -> task<> {
        test::witness local{gone};
        co_await of_child.pass();
        ++used;
      };
      try {
        auto first = co_await select(plain.pass(), child());
        used += first.index() == 0;
        ++ends;
      } catch (const canceled&) {
        ++ends;
      }
    });
    test::play(choice, hands,
               {[&] { plain.open(); }, [&] { of_child.open(); }, [&] { main.request_stop(); }});
    bool whole = ends == 1 && gone && hands.live() == 0;
    whole = whole && used + plain.openings() + of_child.openings() == 2;
    whole = whole && plain.enlisted() == 0 && of_child.enlisted() == 0;
    if (!whole) BOOST_REQUIRE(whole);
  });
  BOOST_TEST(orders > 30u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
