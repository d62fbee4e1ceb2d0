#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/interval.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/merge.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/failure.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/shield.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/when_all.hpp>
#include <troupe/task/yield.hpp>

// The promises about tasks, each under its tag.

namespace troupe {
namespace {

using namespace std::chrono_literals;

// One worker on a virtual clock: what is not said to take time takes none.
struct world {
  pal::virtual_clock clock;
  runtime rt;

  world() : rt{settings(clock)} {}

  static runtime_config settings(pal::virtual_clock& clock) {
    runtime_config config;
    config.workers = 1;
    config.clock = &clock;
    config.network = false;
    return config;
  }
};

// Tells whether it was destroyed.
struct witness {
  explicit witness(bool& told) : told_{&told} {}
  witness(witness&& other) noexcept : told_{std::exchange(other.told_, nullptr)} {}
  ~witness() {
    if (told_ != nullptr) *told_ = true;
  }

private:
  bool* told_;
};

task<int> number(int value) { co_return value; }

task<> fail_after_a_turn(std::string text) {
  co_await yield();
  throw std::runtime_error{text};
}

task<> wait_for_ever(event& never) { co_await never.wait(); }

// --- symmetric transfer ---

struct stack_range {
  std::uintptr_t lowest = UINTPTR_MAX;
  std::uintptr_t highest = 0;
  void look() {
    auto at = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    lowest = std::min(lowest, at);
    highest = std::max(highest, at);
  }
};

task<> transfer_once(stack_range& seen) {
  seen.look();
  co_return;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(task_)

// Goal:   a task that awaits a task costs no stack, however often.
// Method: ten million awaits in a row, each there and back; the callee notes where its stack is.
BOOST_AUTO_TEST_CASE(symmetric_transfer, *boost::unit_test::label("unit")) {
  world one;
  stack_range seen;
  one.rt.block_on([&seen]() -> task<> {
    for (int i = 0; i < 10'000'000; ++i) co_await transfer_once(seen);
  });
  BOOST_TEST(seen.highest - seen.lowest < 4096u);
}

BOOST_AUTO_TEST_CASE(task_unobserved) {
  static std::string reported;
  reported.clear();
  failure_sink former =
      set_failure_sink([](const failure& seen) { reported = describe(seen.error) + seen.actor; });
  world one;
  one.rt.block_on([]() -> task<> {
    spawn(fail_after_a_turn, std::string{"nobody asks"});
    for (int i = 0; i < 3; ++i) co_await yield();
  });
  set_failure_sink(former);
  BOOST_TEST(reported == "nobody asks");
}

BOOST_AUTO_TEST_CASE(a_canceled_task_is_no_unobserved_failure) {
  world one;  // The fixture's sink would end the program.
  event never;
  one.rt.block_on([&never]() -> task<> {
    auto handle = spawn(wait_for_ever, std::ref(never));
    co_await handle.cancel();
  });
  BOOST_TEST(!never.is_set());
}

BOOST_AUTO_TEST_CASE(task_scope) {
  world one;
  std::vector<std::string> events;
  one.rt.block_on([&events]() -> task<> {
    co_await scope([&events](scope_handle all) -> task<> {
      all.spawn([&events]() -> task<> {
        co_await sleep_for(1s);
        events.push_back("child");
      });
      events.push_back("body");
      co_return;
    });
    events.push_back("after");
  });
  BOOST_TEST(events == (std::vector<std::string>{"body", "child", "after"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(task_scope_left_by_exception_cancels_and_awaits_the_rest) {
  world one;
  bool unwound = false;
  event never;
  std::string caught;
  one.rt.block_on([&]() -> task<> {
    auto whole = scope([&](scope_handle all) -> task<> {
      all.spawn([&]() -> task<> {
        witness end{unwound};
        co_await never.wait();
      });
      co_await yield();
      throw std::runtime_error{"body"};
    });
    try {
      co_await std::move(whole);
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
    BOOST_TEST(unwound);
  });
  BOOST_TEST(caught == "body");
}

BOOST_AUTO_TEST_CASE(a_failing_task_cancels_the_body_of_its_scope) {
  world one;
  event never;
  bool body_went_on = false;
  one.rt.block_on([&]() -> task<> {
    auto whole = scope([&](scope_handle all) -> task<> {
      all.spawn(fail_after_a_turn, std::string{"child"});
      co_await never.wait();
      body_went_on = true;
    });
    BOOST_CHECK_THROW(co_await std::move(whole), std::runtime_error);
  });
  BOOST_TEST(!body_went_on);
}

BOOST_AUTO_TEST_CASE(cancel_structured_select_returns_after_the_loser_has_unwound) {
  world one;
  bool unwound = false;
  event never;
  one.rt.block_on([&]() -> task<> {
    auto loser = [&]() -> task<> {
      witness end{unwound};
      co_await never.wait();
    };
    auto first = co_await select(loser(), sleep_for(1s));
    BOOST_TEST(first.index() == 1u);
    BOOST_TEST(unwound);
  });
}

BOOST_AUTO_TEST_CASE(cancel_structured_timeout_returns_after_the_task_has_unwound) {
  world one;
  bool unwound = false;
  event never;
  one.rt.block_on([&]() -> task<> {
    auto slow = [&]() -> task<> {
      witness end{unwound};
      co_await never.wait();
    };
    auto outcome = co_await timeout(1s, slow()).as_result();
    BOOST_TEST((outcome.error() == errc::timed_out));
    BOOST_TEST(unwound);
  });
}

BOOST_AUTO_TEST_CASE(cancel_structured_join_handle_cancel_waits_for_a_clean_up_that_awaits) {
  world one;
  event never;
  bool cleaned = false;
  one.rt.block_on([&]() -> task<> {
    auto handle = spawn([&]() -> task<> {
      bool stopped = false;
      try {
        co_await never.wait();
      } catch (const canceled&) {
        stopped = true;
      }
      auto slow = []() -> task<> { co_await sleep_for(1s); };
      if (stopped) co_await shield(slow());
      cleaned = true;
    });
    co_await yield();
    co_await handle.cancel();
    BOOST_TEST(cleaned);
    BOOST_TEST(handle.done());
  });
}

BOOST_AUTO_TEST_CASE(a_stop_request_stays_until_the_end) {
  world one;
  event never;
  int stops = 0;
  one.rt.block_on([&]() -> task<> {
    auto handle = spawn([&]() -> task<> {
      for (int i = 0; i < 3; ++i) {
        try {
          co_await never.wait();
        } catch (const canceled&) {
          ++stops;
        }
      }
      BOOST_TEST(stop_requested());
    });
    co_await yield();
    co_await handle.cancel();
  });
  BOOST_TEST(stops == 3);
}

BOOST_AUTO_TEST_CASE(cancel_safe_of_a_lost_race) {
  world one;
  one.rt.block_on([]() -> task<> {
    auto ends = mpsc<int>(4);
    event ready;
    for (int round = 0; round < 100; ++round) {
      BOOST_TEST(ends.tx.try_send(round).has_value());
      ready.set();
      auto first = co_await select(ready.wait(), ends.rx.recv());
      int taken = first.index() == 1 ? **std::get_if<1>(&first) : *co_await ends.rx.recv();
      BOOST_TEST(taken == round);  // Lost race or won: the message is there exactly once.
    }
  });
}

BOOST_AUTO_TEST_CASE(select_fair) {
  world one;
  int ticks = 0;
  int values = 0;
  one.rt.block_on([&]() -> task<> {
    event left, right;  // Both always ready.
    left.set();
    right.set();
    for (int i = 0; i < 100; ++i) {
      auto first = co_await select(left.wait(), right.wait());
      ++(first.index() == 0 ? ticks : values);
    }
  });
  BOOST_TEST(ticks >= 49);
  BOOST_TEST(values >= 49);
}

BOOST_AUTO_TEST_CASE(when_all_gives_all_values_and_stops_the_rest_at_a_failure) {
  world one;
  bool unwound = false;
  event never;
  one.rt.block_on([&]() -> task<> {
    auto both = co_await when_all(number(1), number(2));
    BOOST_TEST(std::get<0>(both) + std::get<1>(both) == 3);
    std::vector<task<int>> many;
    for (int i = 0; i < 50; ++i) many.push_back(number(i));
    auto values = co_await when_all(std::move(many));
    BOOST_TEST(values.size() == 50u);
    BOOST_TEST(values[49] == 49);
    auto waiting = [&]() -> task<> {
      witness end{unwound};
      co_await never.wait();
    };
    auto failing = when_all(waiting(), fail_after_a_turn("one"));
    BOOST_CHECK_THROW(co_await failing, std::runtime_error);
    BOOST_TEST(unwound);
  });
}

BOOST_AUTO_TEST_CASE(what_a_task_owns_is_gone_at_its_end_while_its_handle_is_held) {
  world one;
  bool gone = false;
  one.rt.block_on([&gone]() -> task<> {
    auto handle = spawn([](witness) -> task<int> { co_return 7; }, witness{gone});
    while (!handle.done()) co_await yield();
    BOOST_TEST(gone);
    BOOST_TEST(co_await handle == 7);
  });
}

BOOST_AUTO_TEST_CASE(values_large_small_and_by_reference_come_out_of_a_handle) {
  world one;
  one.rt.block_on([]() -> task<> {
    static int place = 5;
    auto reference = spawn([]() -> task<int&> { co_return place; });
    BOOST_TEST(&co_await reference == &place);
    auto pointer =
        spawn([]() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(3); });
    BOOST_TEST(*co_await pointer == 3);
    auto large = spawn([]() -> task<std::array<int, 100>> {
      std::array<int, 100> all{};
      all[99] = 9;
      co_return all;
    });
    BOOST_TEST((co_await large)[99] == 9);
    auto plain = spawn([](int a, int b) { return a + b; }, 2, 3);
    BOOST_TEST(co_await plain == 5);
    auto failing = spawn([]() -> int { throw std::runtime_error{"plain"}; });
    BOOST_CHECK_THROW(co_await failing, std::runtime_error);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
