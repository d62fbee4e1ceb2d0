#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>

#include <boost/test/unit_test.hpp>

#include <troupe/observe/snapshot.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/oneshot.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <captured_log.hpp>
#include <forked.hpp>

// Stopping by SIGINT and SIGTERM. Signals come from the tasks themselves; budgets are real time,
// and long where a case must not reach their end.

namespace troupe {

using namespace std::chrono_literals;

namespace {

runtime_config with_budget(std::chrono::nanoseconds budget) {
  runtime_config config;
  config.workers = 2;
  config.shutdown_budget = budget;
  return config;
}

// Real time for all to end that can, on a busy machine too.
constexpr auto enough = 500ms;

void signal_self(int number) { ::kill(::getpid(), number); }

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A wait that nothing ends, not even a stop request.
class deaf_wait {
public:
  static constexpr const char* name = "nothing at all";
  deaf_wait() noexcept {}
  bool poll() noexcept { return false; }
  bool enlist(waker) noexcept { return true; }
  void delist() noexcept {}
  void take() noexcept {}
  [[nodiscard]] bool shielded() const noexcept { return true; }
};

task<> survive(std::shared_ptr<int>) {
  deaf_wait never;
  co_await never;
}

task<> raise_and_wait(int number) {
  event never;
  signal_self(number);
  co_await never.wait();
}

// Notes whether a stop request reached it; nothing else ends it.
task<> wait_until_stopped(bool& was_stopped) {
  event never;
  try {
    co_await never.wait();
  } catch (const canceled&) {
    was_stopped = true;
    throw;
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(signals_)

// Goal:   SIGUSR1 writes who waits for what to the log, and the program goes on.
BOOST_AUTO_TEST_CASE(sigusr1_writes_a_dump_to_the_log) {
  test::captured_log log;
  int code = run(with_budget(1h), [&]() -> task<int> {
    event never;
    auto waiting = spawn([&]() -> task<> { co_await never.wait(); });
    auto is_waiting = [] {
      auto all = tasks_of(*scheduler::current());
      return std::any_of(all.begin(), all.end(),
                         [](const task_report& each) { return each.waits_for == "an event"; });
    };
    while (!is_waiting()) co_await yield();
    signal_self(SIGUSR1);
    while (log.count("waits for an event at ") == 0) co_await yield();
    co_await waiting.cancel();
    co_return 7;
  });
  BOOST_TEST(code == 7);
  BOOST_TEST(log.count("worker 0: ") == 1u);
  BOOST_TEST(log.count("2 tasks") == 1u);
}

BOOST_AUTO_TEST_CASE(sigusr1_is_left_to_a_program_that_handles_it) {
  static pal::atomic<int> seen{0};
  ::signal(SIGUSR1, [](int) { seen.fetch_add(1); });
  test::captured_log log;
  BOOST_TEST(run(with_budget(1h), []() -> task<int> {
               signal_self(SIGUSR1);
               co_return 0;
             }) == 0);
  ::signal(SIGUSR1, SIG_DFL);
  BOOST_TEST(seen.load() == 1);
  BOOST_TEST(log.count("worker 0: ") == 0u);
}

// Goal:   a stop signal cancels main, and only main; tasks that end by themselves are left alone.
// Method: a task lives until main's unwinding drops a sender; the budget is out of reach.
BOOST_AUTO_TEST_CASE(stop_graceful) {
  for (int number : {SIGTERM, SIGINT}) {
    bool main_was_stopped = false, other_ended = false, other_was_stopped = false;
    auto other = [&](oneshot_receiver<int> open) -> task<> {
      try {
        (void)co_await open.as_result();
        for (int i = 0; i < 100; ++i) co_await yield();
        other_ended = true;
      } catch (const canceled&) {
        other_was_stopped = true;
      }
    };
    auto main_task = [&]() -> task<> {
      auto ends = oneshot<int>();
      spawn(other, std::move(ends.rx)).detach();
      signal_self(number);
      co_await wait_until_stopped(main_was_stopped);
    };
    BOOST_TEST(run(with_budget(1h), main_task) == 0);
    BOOST_TEST(main_was_stopped);
    BOOST_TEST(other_ended);
    BOOST_TEST(!other_was_stopped);
  }
}

BOOST_AUTO_TEST_CASE(stop_graceful_gives_the_value_that_main_ends_with) {
  auto main_task = []() -> task<int> {
    event never;
    signal_self(SIGTERM);
    try {
      co_await never.wait();
    } catch (const canceled&) {
    }
    co_return 7;
  };
  BOOST_TEST(run(with_budget(1h), main_task) == 7);
}

BOOST_AUTO_TEST_CASE(stop_graceful_cancels_the_other_tasks_at_four_fifths_of_the_budget) {
  bool main_was_stopped = false, other_was_stopped = false;
  auto other = [&]() -> task<> {
    try {
      for (;;) co_await sleep_for(1ms);
    } catch (const canceled&) {
      other_was_stopped = true;
    }
  };
  auto main_task = [&]() -> task<> {
    spawn(other).detach();
    signal_self(SIGTERM);
    co_await wait_until_stopped(main_was_stopped);
  };
  auto began = std::chrono::steady_clock::now();
  BOOST_TEST(run(with_budget(500ms), main_task) == 0);
  auto took = std::chrono::steady_clock::now() - began;
  BOOST_TEST(main_was_stopped);
  BOOST_TEST(other_was_stopped);
  BOOST_CHECK(took >= 400ms);
}

BOOST_AUTO_TEST_CASE(stop_graceful_cancels_at_once_what_nothing_could_end) {
  bool main_was_stopped = false, other_was_stopped = false;
  auto main_task = [&]() -> task<> {
    spawn(&wait_until_stopped, std::ref(other_was_stopped)).detach();
    signal_self(SIGTERM);
    co_await wait_until_stopped(main_was_stopped);
  };
  BOOST_TEST(run(with_budget(1h), main_task) == 0);  // Else the case would never end.
  BOOST_TEST(other_was_stopped);
}

// Goal:   who survives the stop is listed, with what it waits for, and destroyed; the code is 1.
// Method: two tasks in waits that are deaf to stop requests.
BOOST_AUTO_TEST_CASE(stop_graceful_lists_and_destroys_suspended_survivors) {
  test::captured_log log;
  auto owned = std::make_shared<int>(0);
  int spawned = 0;
  auto main_task = [&]() -> task<> {
    spawned = __LINE__ + 1;
    for (int i = 0; i < 2; ++i) spawn(&survive, owned).detach();
    co_await raise_and_wait(SIGTERM);
  };
  BOOST_TEST(run(with_budget(enough), main_task) == 1);
  BOOST_TEST(owned.use_count() == 1);
  BOOST_TEST(log.count("2 tasks survived the stop") == 1u);
  BOOST_TEST(log.count("waits for nothing at all") == 2u);
  BOOST_TEST(log.count("signals_test.cpp:" + std::to_string(spawned)) == 2u);
}

BOOST_AUTO_TEST_CASE(stop_graceful_ends_the_process_when_a_task_swallows_every_stop) {
  auto seen = test::run_forked([] {
    auto stubborn = []() -> task<> {
      for (;;) {
        try {
          co_await yield();
        } catch (const canceled&) {
        }
      }
    };
    auto main_task = [&]() -> task<> {
      spawn(stubborn).detach();
      co_await raise_and_wait(SIGTERM);
    };
    return run(with_budget(enough), main_task);
  });
  BOOST_TEST(seen.code == 1);
  BOOST_TEST_INFO(seen.errors);
  BOOST_TEST(contains(seen.errors, "1 task survived the stop"));
  BOOST_TEST(contains(seen.errors, "it is running"));
}

BOOST_AUTO_TEST_CASE(stop_graceful_ends_the_process_when_a_task_holds_its_worker) {
  auto seen = test::run_forked([] {
    auto holder = []() -> task<> {
      for (;;) std::this_thread::yield();
      co_return;
    };
    auto main_task = [&]() -> task<> {
      spawn(holder).detach();
      co_await raise_and_wait(SIGTERM);
    };
    return run(with_budget(enough), main_task);
  });
  BOOST_TEST(seen.code == 1);
  BOOST_TEST_INFO(seen.errors);
  BOOST_TEST(contains(seen.errors, "1 task survived the stop"));
  BOOST_TEST(contains(seen.errors, "a task did not give its worker back"));
}

BOOST_AUTO_TEST_CASE(stop_graceful_ends_at_once_on_a_second_signal) {
  for (int second : {SIGTERM, SIGINT}) {
    auto seen = test::run_forked([second] {
      auto main_task = [second]() -> task<> {
        event never;
        // Else all that is left waits for nothing, which also ends a run that has been stopped.
        spawn([]() -> task<> { co_await sleep_for(1h); }).detach();
        signal_self(SIGTERM);
        try {
          co_await never.wait();
        } catch (const canceled&) {
          signal_self(second);
        }
        co_await survive(nullptr);
      };
      return run(with_budget(1h), main_task);
    });
    BOOST_TEST(seen.code == 130);
    BOOST_TEST(contains(seen.errors, "second stop signal"));
  }
}

BOOST_AUTO_TEST_CASE(stop_graceful_takes_a_budget_of_any_length) {
  BOOST_TEST(run(with_budget(std::chrono::nanoseconds::max()),
                 [] { return raise_and_wait(SIGTERM); }) == 0);
}

BOOST_AUTO_TEST_CASE(a_budget_of_nothing_cancels_and_lists) {
  test::captured_log log;
  auto main_task = []() -> task<> {
    signal_self(SIGTERM);
    co_await survive(nullptr);
  };
  BOOST_TEST(run(with_budget(0ns), main_task) == 1);
  BOOST_TEST(log.count("survived the stop") == 1u);
}

BOOST_AUTO_TEST_CASE(a_later_run_begins_without_the_signals_of_an_earlier_one) {
  BOOST_TEST(run(with_budget(1h), &raise_and_wait, SIGTERM) == 0);
  auto main_task = []() -> task<int> {
    for (int i = 0; i < 100; ++i) co_await yield();
    co_return 5;
  };
  BOOST_TEST(run(with_budget(1h), main_task) == 5);
}

BOOST_AUTO_TEST_CASE(gives_the_former_actions_back) {
  struct sigaction before{};
  ::sigaction(SIGTERM, nullptr, &before);
  bool was_ours = false;
  auto main_task = [&]() -> task<> {
    struct sigaction during{};
    ::sigaction(SIGTERM, nullptr, &during);
    was_ours = during.sa_handler != before.sa_handler;
    co_return;
  };
  BOOST_TEST(run(with_budget(1h), main_task) == 0);
  BOOST_TEST(was_ours);
  struct sigaction after{};
  ::sigaction(SIGTERM, nullptr, &after);
  BOOST_CHECK(after.sa_handler == before.sa_handler);
}

BOOST_AUTO_TEST_CASE(leaves_signals_alone_when_told_to) {
  struct sigaction before{};
  ::sigaction(SIGINT, nullptr, &before);
  bool was_ours = true;
  auto main_task = [&]() -> task<> {
    struct sigaction during{};
    ::sigaction(SIGINT, nullptr, &during);
    was_ours = during.sa_handler != before.sa_handler;
    co_return;
  };
  runtime_config config = with_budget(1h);
  config.handle_signals = false;
  BOOST_TEST(run(config, main_task) == 0);
  BOOST_TEST(!was_ours);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
