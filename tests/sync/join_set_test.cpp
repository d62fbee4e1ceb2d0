#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/join_set.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/shield.hpp>
#include <troupe/task/yield.hpp>

#include <collected_failures.hpp>
#include <manual_executor.hpp>
#include <sched/two_workers.hpp>
#include <threads.hpp>
#include <thrown_misuse.hpp>

namespace troupe {

namespace {

using test::manual_executor;

task<int> value_after(event& when, int value) {
  co_await when.wait();
  co_return value;
}

task<int> fail_after(event& when, std::string text) {
  co_await when.wait();
  throw std::runtime_error{text};
}

task<> append_all(join_set<int>& from, std::vector<int>& into) {
  while (auto value = co_await from.next()) into.push_back(*value);
  into.push_back(-1);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(join_set_)

BOOST_AUTO_TEST_CASE(results_come_in_the_order_of_ending_then_nothing) {
  manual_executor exec;
  event a, b, c;
  join_set<int> tasks;
  tasks.spawn(value_after, std::ref(a), 1);
  tasks.spawn(value_after, std::ref(b), 2);
  tasks.spawn(value_after, std::ref(c), 3);
  BOOST_TEST(tasks.size() == 3u);
  std::vector<int> got;
  auto taking = spawn(&append_all, std::ref(tasks), std::ref(got));
  exec.run_all();
  BOOST_TEST(got.empty());
  b.set();
  exec.run_all();
  BOOST_TEST(got == std::vector{2});
  BOOST_TEST(tasks.size() == 2u);
  c.set();
  a.set();
  exec.run_all();
  BOOST_TEST(got == (std::vector{2, 3, 1, -1}));
  BOOST_TEST(tasks.empty());
  BOOST_TEST(taking.done());
}

BOOST_AUTO_TEST_CASE(takes_plain_functions_capturing_coroutines_and_tasks) {
  manual_executor exec;
  auto owned = std::make_shared<int>(5);
  join_set<int> tasks;
  tasks.spawn([] { return 1; });
  tasks.spawn([owned]() -> task<int> {
    co_await yield();
    co_return *owned;
  });
  auto made = [](int n) -> task<int> { co_return n; };
  tasks.spawn(made(9));
  std::vector<int> got;
  spawn(&append_all, std::ref(tasks), std::ref(got)).detach();
  exec.run_all();
  BOOST_TEST(got == (std::vector{1, 9, 5, -1}));
  BOOST_TEST(owned.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(next_throws_what_left_the_task_and_as_result_hands_it_over) {
  manual_executor exec;
  event go;
  go.set();
  join_set<int> tasks;
  tasks.spawn(fail_after, std::ref(go), std::string{"first"});
  tasks.spawn(fail_after, std::ref(go), std::string{"second"});
  tasks.spawn(value_after, std::ref(go), 4);
  std::vector<std::string> seen;
  spawn([&]() -> task<> {
    try {
      co_await tasks.next();
    } catch (const std::runtime_error& error) {
      seen.emplace_back(error.what());
    }
    auto failed = co_await tasks.next().as_result();
    seen.push_back(describe(failed->error()));
    auto good = co_await tasks.next().as_result();
    seen.push_back(std::to_string(good->value()));
    auto end = co_await tasks.next().as_result();
    seen.emplace_back(end.has_value() ? "more" : "end");
  }).detach();
  exec.run_all();
  BOOST_TEST(seen == (std::vector<std::string>{"first", "second", "4", "end"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_set_of_void_tasks_tells_an_end_from_the_end) {
  manual_executor exec;
  join_set<void> tasks;
  int ended = 0;
  for (int i = 0; i < 3; ++i) tasks.spawn([]() -> task<> { co_await yield(); });
  spawn([&]() -> task<> {
    auto first = co_await tasks.next().as_result();
    ended += first.has_value() && first->has_value();
    while (co_await tasks.next()) ++ended;
    co_await tasks.join_all();
  }).detach();
  exec.run_all();
  BOOST_TEST(ended == 3);
  BOOST_TEST(tasks.empty());
}

BOOST_AUTO_TEST_CASE(join_all_gives_all_values_in_the_order_of_ending) {
  manual_executor exec;
  event a, b;
  join_set<int> tasks;
  tasks.spawn(value_after, std::ref(a), 1);
  tasks.spawn(value_after, std::ref(b), 2);
  std::vector<int> got;
  spawn([&]() -> task<> { got = co_await tasks.join_all(); }).detach();
  exec.run_all();
  b.set();
  exec.run_all();
  BOOST_TEST(got.empty());
  a.set();
  exec.run_all();
  BOOST_TEST(got == (std::vector{2, 1}));
}

BOOST_AUTO_TEST_CASE(the_first_failure_leaves_join_all_when_the_rest_was_stopped_and_has_ended) {
  test::collected_failures failures;
  manual_executor exec;
  event go, never;
  std::string text;
  bool rest_has_ended = false;
  {
    join_set<int> tasks;
    tasks.spawn([&]() -> task<int> {
      bool stopped = false;
      try {
        co_await never.wait();
      } catch (const canceled&) {
        stopped = true;
      }
      rest_has_ended = stopped;
      throw std::runtime_error{"while stopping"};
    });
    tasks.spawn(fail_after, std::ref(go), std::string{"first"});
    spawn([&]() -> task<> {
      try {
        co_await tasks.join_all();
      } catch (const std::runtime_error& error) {
        text = std::string{error.what()} + (rest_has_ended ? " after" : " before");
      }
    }).detach();
    exec.run_all();
    go.set();
    exec.run_all();
    BOOST_TEST(text == "first after");
    BOOST_TEST(tasks.size() == 1u);
    BOOST_TEST(failures.texts().empty());
  }
  // What nobody has taken is reported.
  BOOST_TEST(failures.texts() == std::vector<std::string>{"while stopping"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(cancel_structured_cancel_all_returns_when_all_have_unwound) {
  manual_executor exec;
  event never;
  join_set<int> tasks;
  int unwound = 0;
  struct count_end {
    int& count;
    ~count_end() { ++count; }
  };
  for (int i = 0; i < 3; ++i) {
    tasks.spawn([&]() -> task<int> {
      count_end at_end{unwound};
      co_await never.wait();
      co_return 1;
    });
  }
  tasks.spawn([] { return 8; });
  exec.run_all();
  int seen = -1;
  std::vector<std::string> left;
  spawn([&]() -> task<> {
    co_await tasks.cancel_all();
    seen = unwound;
    while (auto ended = co_await tasks.next().as_result()) {
      left.emplace_back("canceled");
      if (ended->has_value()) left.back() = std::to_string(ended->value());
    }
  }).detach();
  exec.run_all();
  BOOST_TEST(seen == 3);
  BOOST_TEST(left == (std::vector<std::string>{"8", "canceled", "canceled", "canceled"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(cancel_all_of_an_empty_set_does_not_wait) {
  manual_executor exec;
  join_set<void> tasks;
  bool passed = false;
  spawn([&]() -> task<> {
    co_await tasks.cancel_all();
    passed = !(co_await tasks.next());
  }).detach();
  exec.run_all();
  BOOST_TEST(passed);
}

BOOST_AUTO_TEST_CASE(a_dropped_set_stops_its_tasks_and_lets_go_of_them) {
  test::collected_failures failures;
  manual_executor exec;
  event never;
  bool stopped = false;
  {
    join_set<int> tasks;
    tasks.spawn([&]() -> task<int> {
      try {
        co_await never.wait();
      } catch (const canceled&) {
        stopped = true;
        throw;
      }
      co_return 1;
    });
    tasks.spawn([]() -> int { throw std::runtime_error{"not taken"}; });
    exec.run_all();
  }
  BOOST_TEST(!stopped);  // The destructor cannot wait.
  exec.run_all();
  BOOST_TEST(stopped);
  BOOST_TEST(exec.live() == 0u);
  BOOST_TEST(failures.texts() == std::vector<std::string>{"not taken"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_failure_after_the_set_is_gone_is_reported) {
  test::collected_failures failures;
  manual_executor exec;
  event never;
  {
    join_set<void> tasks;
    tasks.spawn([&]() -> task<> {
      bool was_stopped = false;
      try {
        co_await never.wait();
      } catch (const canceled&) {
        was_stopped = true;
      }
      if (was_stopped) throw std::runtime_error{"late"};
    });
    exec.run_all();
  }
  exec.run_all();
  BOOST_TEST(failures.texts() == std::vector<std::string>{"late"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(cancel_safe_a_lost_or_stopped_next_takes_no_task_out) {
  manual_executor exec;
  event go, other;
  join_set<int> tasks;
  tasks.spawn(value_after, std::ref(go), 1);
  std::size_t winner = 9;
  std::vector<int> got;
  spawn([&]() -> task<> {
    auto first = co_await select(tasks.next(), other.wait());
    winner = first.index();
  }).detach();
  exec.run_all();
  other.set();
  exec.run_all();
  BOOST_TEST(winner == 1u);
  auto stopped = spawn(&append_all, std::ref(tasks), std::ref(got));
  exec.run_all();
  stopped.request_stop();
  exec.run_all();
  BOOST_TEST(stopped.done());
  BOOST_TEST(tasks.size() == 1u);
  go.set();
  exec.run_all();
  BOOST_TEST(tasks.size() == 1u);
  spawn(&append_all, std::ref(tasks), std::ref(got)).detach();
  exec.run_all();
  BOOST_TEST(got == (std::vector{1, -1}));
}

BOOST_AUTO_TEST_CASE(a_task_that_cannot_be_started_is_not_in_the_set) {
  struct unwilling {
    unwilling() = default;
    unwilling(const unwilling&) { throw std::runtime_error{"no copy"}; }
    int operator()() const { return 1; }
  };
  manual_executor exec;
  join_set<int> tasks;
  unwilling work;
  BOOST_CHECK_THROW(tasks.spawn(work), std::runtime_error);
  auto throwing = [](int) -> int { return 1; };
  struct bad_argument {
    bad_argument() = default;
    bad_argument(const bad_argument&) { throw std::runtime_error{"no copy"}; }
    operator int() const { return 1; }
  } argument;
  BOOST_CHECK_THROW(tasks.spawn(throwing, argument), std::runtime_error);
  BOOST_TEST(tasks.empty());
}

BOOST_AUTO_TEST_CASE(a_set_is_moved_with_its_tasks_and_not_used_after) {
  manual_executor exec;
  join_set<int> first;
  first.spawn([] { return 3; });
  join_set<int> second = std::move(first);
  BOOST_TEST(first.size() == 0u);
  BOOST_TEST(second.size() == 1u);
  BOOST_TEST(test::misuse_of([&] { (void)first.next(); }) ==
             "a join_set was used after it was moved from: use the one that has it now");
  std::vector<int> got;
  spawn(&append_all, std::ref(second), std::ref(got)).detach();
  exec.run_all();
  BOOST_TEST(got == (std::vector{3, -1}));
}

// Goal:   a runtime that ends with the set's tasks suspended destroys them, and the set.
BOOST_AUTO_TEST_CASE(a_runtime_that_ends_first_destroys_tasks_and_set) {
  auto owned = std::make_shared<int>(1);
  for (bool keeps_set : {true, false}) {
    event never;
    {
      runtime_config config;
      config.workers = 2;
      runtime rt{config};
      rt.spawn([owned, keeps_set, &never]() -> task<> {
          join_set<void> tasks;
          for (int i = 0; i < 3; ++i) {
            tasks.spawn([owned, &never]() -> task<> {
              auto wait_on = [&never]() -> task<> { co_await never.wait(); };
              co_await shield(wait_on());
            });
          }
          co_await yield();
          if (keeps_set) co_await tasks.join_all();
        }).detach();
      rt.block_on([]() -> task<> {
        for (int i = 0; i < 20; ++i) co_await yield();
      });
    }
    BOOST_TEST(owned.use_count() == 1);
  }
}

// Goal:   every task is taken exactly once, however its end races with next(), and sets that are
//         dropped under way lose and leak nothing.
BOOST_AUTO_TEST_CASE(every_end_is_taken_once_with_two_workers) {
  test::two_workers two;
  const std::size_t count = test::rounds(3'000);
  auto alive = std::make_shared<int>(0);
  two.rt.block_on([&]() -> task<> {
    for (std::size_t i = 0; i < count; ++i) {
      join_set<std::size_t> tasks;
      for (std::size_t j = 0; j < 4; ++j) {
        tasks.spawn([alive, j, i]() -> task<std::size_t> {
          for (std::size_t turns = (i + j) % 3; turns > 0; --turns) co_await yield();
          co_return j;
        });
      }
      if (i % 4 == 3) continue;  // Dropped.
      if (i % 4 == 2) co_await tasks.cancel_all();
      std::size_t ended = 0, sum = 0;
      while (auto each = co_await tasks.next().as_result()) {
        ++ended;
        if (each->has_value()) sum += each->value();
      }
      BOOST_REQUIRE(ended == 4u);
      if (i % 4 < 2) BOOST_REQUIRE(sum == 6u);
    }
  });
  BOOST_TEST(two.rt.shut_down(std::chrono::seconds{50}).empty());
  BOOST_TEST(alive.use_count() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
