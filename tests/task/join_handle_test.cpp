#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/shield.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <collected_failures.hpp>
#include <manual_executor.hpp>
#include <play.hpp>
#include <task/gate.hpp>
#include <thrown_misuse.hpp>
#include <witness.hpp>

namespace troupe {

namespace {

struct by_hand {
  test::manual_executor exec;
  test::gate gate;
};

task<int> pass_and_give(test::gate& awaited, int value) {
  co_await awaited.pass();
  co_return value;
}

task<> fail(std::string text) {
  co_await yield();
  throw std::runtime_error{text};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(join_handle_, by_hand)

BOOST_AUTO_TEST_CASE(gives_the_value_of_a_task_that_ends_later_and_of_one_that_has_ended) {
  std::vector<int> got;
  auto main = spawn([&]() -> task<> {
    auto early = spawn([]() -> task<int> { co_return 1; });
    auto late = spawn(pass_and_give, std::ref(gate), 2);
    co_await yield();
    BOOST_TEST(early.done());
    BOOST_TEST(!late.done());
    got.push_back(co_await early);
    got.push_back(co_await late);
  });
  exec.run_all();
  gate.open();
  exec.run_all();
  BOOST_TEST(got == (std::vector<int>{1, 2}));
  BOOST_TEST(main.done());
}

BOOST_AUTO_TEST_CASE(throws_what_left_the_task) {
  std::string text;
  auto main = spawn([&]() -> task<> {
    auto failing = spawn(fail, std::string{"its own"});
    try {
      co_await failing;
    } catch (const std::runtime_error& error) {
      text = error.what();
    }
  });
  exec.run_all();
  BOOST_TEST(text == "its own");
}

BOOST_AUTO_TEST_CASE(task_unobserved_of_a_dropped_handle_before_and_after_the_end) {
  test::collected_failures failures;
  {
    auto dropped_before = spawn(fail, std::string{"before"});
  }
  exec.run_all();
  {
    auto dropped_after = spawn(fail, std::string{"after"});
    exec.run_all();
    BOOST_TEST(failures.texts() == std::vector<std::string>{"before"});
  }
  BOOST_TEST(failures.texts() == (std::vector<std::string>{"before", "after"}));
}

BOOST_AUTO_TEST_CASE(assigning_to_it_detaches_the_task_it_had) {
  bool first_gone = false;
  auto handle = spawn([&]() -> task<int> {
    test::witness local{first_gone};
    co_return co_await pass_and_give(gate, 1);
  });
  handle = spawn([]() -> task<int> { co_return 2; });
  exec.run_all();
  BOOST_TEST(handle.done());
  BOOST_TEST(!first_gone);
  gate.open();
  exec.run_all();
  BOOST_TEST(first_gone);
}

BOOST_AUTO_TEST_CASE(cancel_waits_for_the_end_and_leaves_the_handle_to_be_awaited) {
  bool gone = false, threw = false;
  auto main = spawn([&]() -> task<> {
    auto other = spawn([&]() -> task<int> {
      test::witness local{gone};
      co_return co_await pass_and_give(gate, 1);
    });
    co_await yield();
    co_await other.cancel();
    BOOST_TEST(gone);
    try {
      (void)co_await other;
    } catch (const canceled&) {
      threw = true;
    }
  });
  exec.run_all();
  BOOST_TEST(threw);
}

BOOST_AUTO_TEST_CASE(cancel_after_the_end_leaves_the_value) {
  int got = 0;
  auto main = spawn([&]() -> task<> {
    auto other = spawn([]() -> task<int> { co_return 3; });
    co_await yield();
    co_await other.cancel();
    got = co_await other;
  });
  exec.run_all();
  BOOST_TEST(got == 3);
}

BOOST_AUTO_TEST_CASE(cancel_is_not_to_be_stopped_itself) {
  test::gate clean_up;
  bool cleaned = false, returned_after = false;
  auto main = spawn([&]() -> task<> {
    auto other = spawn([&]() -> task<> {
      bool stopped = false;
      try {
        co_await gate.pass();
      } catch (const canceled&) {
        stopped = true;
      }
      if (stopped) (void)co_await shield(pass_and_give(clean_up, 0));
      cleaned = true;
    });
    co_await yield();
    co_await other.cancel();
    returned_after = cleaned;
  });
  exec.run_all();
  main.request_stop();
  exec.run_all();
  BOOST_TEST(!main.done());
  clean_up.open();
  exec.run_all();
  BOOST_TEST(returned_after);
}

BOOST_AUTO_TEST_CASE(a_stop_of_the_awaiting_task_leaves_the_awaited_one_alone) {
  int got = 0;
  auto other = spawn(pass_and_give, std::ref(gate), 4);
  auto first = spawn([&]() -> task<> { got = -(co_await other); });
  exec.run_all();
  first.request_stop();
  exec.run_all();
  BOOST_TEST(first.done());
  auto second = spawn([&]() -> task<> { got = co_await other; });
  exec.run_all();
  gate.open();
  exec.run_all();
  BOOST_TEST(got == 4);
}

BOOST_AUTO_TEST_CASE(an_empty_handle_is_a_misuse_and_harmless_otherwise) {
  auto handle = spawn([]() -> task<int> { co_return 1; });
  auto moved = std::move(handle);
  BOOST_TEST(!handle.done());
  handle.request_stop();
  handle.detach();
  BOOST_TEST(!test::misuse_of([&] { (void)handle.as_operation(); }).empty());
  BOOST_TEST(!test::misuse_of([&] { (void)handle.cancel(); }).empty());
  moved.detach();
  BOOST_TEST(!test::misuse_of([&] { (void)moved.as_operation(); }).empty());
  exec.run_all();
}

BOOST_AUTO_TEST_CASE(awaiting_it_twice_is_a_misuse) {
  std::string text;
  auto main = spawn([&]() -> task<> {
    auto other = spawn([]() -> task<int> { co_return 1; });
    (void)co_await other;
    text = test::misuse_of([&] { (void)other.as_operation(); });
  });
  exec.run_all();
  BOOST_TEST(text.find("awaited") != std::string::npos);
}

// Goal:   in every order of the end of a task, a waiter that loses interest, and the drop of the
//         handle, the cell is freed once and the value lives until then.
// Method: all orders of these steps and of the turns that are ready.
BOOST_AUTO_TEST_CASE(every_order_of_end_wait_and_drop_frees_the_task_once) {
  auto orders = sim::explore([](sim::choices& choice) {
    test::manual_executor hands;
    test::gate of_task, of_waiter;
    auto value = std::make_shared<int>(1);
    bool right = true;
    {
      std::optional<join_handle<std::shared_ptr<int>>> handle;
      auto body = [&of_task, value]() -> task<std::shared_ptr<int>> {
        co_await of_task.pass();
        co_return value;
      };
      handle = spawn(std::move(body));
      auto waiter = spawn([&]() -> task<> {
        auto first = co_await select(*handle, of_waiter.pass());
        if (first.index() == 0) right = right && std::get<0>(first) == value;
      });
      test::play(
          choice, hands,
          {[&] { of_task.open(); }, [&] { of_waiter.open(); }, [&] { waiter.request_stop(); }});
      right = right && waiter.done();
    }
    right = right && value.use_count() == 1 && hands.live() == 0;
    if (!right) BOOST_REQUIRE(right);
  });
  BOOST_TEST(orders > 50u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(join_handle_over_runtimes_)

// Goal:   a handle that outlives its runtime frees its own cell, and not that of a later task that
//         the same memory serves.
BOOST_AUTO_TEST_CASE(a_handle_may_outlive_the_runtime_of_a_task_that_never_ended) {
  event never, later;
  bool gone = false;
  std::optional<join_handle<int>> outliving;
  {
    runtime first;
    outliving = first.spawn([&]() -> task<int> {
      test::witness local{gone};
      co_await never.wait();
      co_return 1;
    });
    first.block_on([]() -> task<> { co_await yield(); });
  }
  BOOST_TEST(gone);
  BOOST_TEST(outliving->done());
  runtime second;
  std::vector<join_handle<int>> fresh;
  for (int i = 0; i < 200; ++i) {
    fresh.push_back(second.spawn([&later, i]() -> task<int> {
      co_await later.wait();
      co_return i;
    }));
  }
  outliving.reset();
  later.set();
  for (int i = 0; i < 200; ++i) {
    auto& each = fresh[static_cast<std::size_t>(i)];
    BOOST_REQUIRE_EQUAL(second.block_on([&]() -> task<int> { co_return co_await each; }), i);
  }
}

BOOST_AUTO_TEST_CASE(a_task_of_another_runtime_is_told_that_the_awaited_one_was_destroyed) {
  event never;
  runtime lasting;
  auto brief = std::make_unique<runtime>();
  auto awaited = brief->spawn([&]() -> task<> { co_await never.wait(); });
  event waits;
  auto waiting = lasting.spawn([&]() -> task<bool> {
    waits.set();
    try {
      co_await awaited;
    } catch (const canceled&) {
      co_return true;
    }
    co_return false;
  });
  lasting.block_on([&]() -> task<> { co_await waits.wait(); });
  brief.reset();
  BOOST_TEST(lasting.block_on([&]() -> task<bool> { co_return co_await waiting; }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
