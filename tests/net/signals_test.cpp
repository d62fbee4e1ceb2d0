#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/net/signals.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <net/connected.hpp>
#include <net/limited_fds.hpp>
#include <thrown_misuse.hpp>

// Signals come from the tasks themselves.

namespace troupe::net {

namespace {

// To the calling thread: TSan holds back what comes to one that waits in a system call of ours.
void signal_self(int number) { std::raise(number); }

using handler = void (*)(int);

handler handler_of(int number) {
  struct sigaction seen{};
  ::sigaction(number, nullptr, &seen);
  return seen.sa_handler;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(signals_, two_workers)

BOOST_AUTO_TEST_CASE(a_signal_is_told_by_its_number) {
  auto listen = []() -> task<> {
    signals heard{SIGUSR1, SIGUSR2};
    std::vector<int> numbers{SIGUSR2, SIGUSR1, SIGUSR2};
    for (int number : numbers) {
      signal_self(number);
      BOOST_TEST(co_await heard.next() == number);
    }
  };
  rt.block_on(listen);
}

BOOST_AUTO_TEST_CASE(one_that_comes_before_the_wait_is_kept) {
  auto listen = []() -> task<> {
    signals heard{SIGUSR1, SIGHUP};
    signal_self(SIGUSR1);
    signal_self(SIGHUP);
    for (int i = 0; i < 100; ++i) co_await yield();
    int first = co_await heard.next();
    int second = co_await heard.next();
    BOOST_TEST(first + second == SIGUSR1 + SIGHUP);
    BOOST_TEST(first != second);
  };
  rt.block_on(listen);
}

BOOST_AUTO_TEST_CASE(no_signal_hides_another_one) {
  auto listen = []() -> task<> {
    signals heard{SIGUSR1, SIGUSR2};
    signal_self(SIGUSR2);
    int second_came_at = 0;
    for (int i = 1; i <= 3 && second_came_at == 0; ++i) {
      signal_self(SIGUSR1);
      if (co_await heard.next() == SIGUSR2) second_came_at = i;
    }
    BOOST_TEST(second_came_at != 0);
  };
  rt.block_on(listen);
}

BOOST_AUTO_TEST_CASE(a_number_that_is_named_twice_is_told_once) {
  auto listen = []() -> task<int> {
    signals heard{SIGUSR1, SIGUSR1, SIGUSR2};
    signal_self(SIGUSR1);
    int first = co_await heard.next();
    signal_self(SIGUSR2);
    int second = co_await heard.next();
    co_return first == SIGUSR1 ? second : 0;
  };
  BOOST_TEST(rt.block_on(listen) == SIGUSR2);
}

BOOST_AUTO_TEST_CASE(every_object_is_told) {
  auto listen = []() -> task<int> {
    std::vector<std::unique_ptr<signals>> all;
    for (int i = 0; i < 40; ++i) all.push_back(std::make_unique<signals>(signals{SIGUSR1}));
    std::vector<join_handle<int>> waiting;
    for (auto& each : all) {
      waiting.push_back(spawn([&each]() -> task<int> { co_return co_await each->next(); }));
    }
    signal_self(SIGUSR1);
    int told = 0;
    for (auto& each : waiting) {
      int number = co_await each;
      told += number == SIGUSR1;
    }
    co_return told;
  };
  BOOST_TEST(rt.block_on(listen) == 40);
}

BOOST_AUTO_TEST_CASE(two_runtimes_are_told) {
  runtime other{config()};
  event ready;
  auto listen = [&]() -> task<int> {
    signals heard{SIGUSR1};
    ready.set();
    co_return co_await heard.next();
  };
  auto there = other.spawn(listen);
  auto here = [&]() -> task<int> {
    signals heard{SIGUSR1};
    co_await ready.wait();
    signal_self(SIGUSR1);
    int number = co_await heard.next();
    co_return number;
  };
  BOOST_TEST(rt.block_on(here) == SIGUSR1);
  auto join = [&]() -> task<int> { co_return co_await there; };
  BOOST_TEST(other.block_on(join) == SIGUSR1);
}

BOOST_AUTO_TEST_CASE(the_last_object_puts_back_what_was_there) {
  handler before = handler_of(SIGUSR1);
  auto listen = [&]() -> task<> {
    signals moved_from{SIGUSR1};
    {
      signals first{SIGUSR1};
      signals kept = std::move(moved_from);
      BOOST_TEST((handler_of(SIGUSR1) != before));
    }
    BOOST_TEST((handler_of(SIGUSR1) == before));
    co_return;
  };
  rt.block_on(listen);
}

// Goal:   a wait that loses a race loses no signal.
// Method: each signal is sent while the wait races an event that is set at the same time; however
//         it ends, the signal is told once.
BOOST_AUTO_TEST_CASE(cancel_safe_signals_next) {
  auto race = []() -> task<int> {
    signals heard{SIGUSR1};
    event tick;
    constexpr int count = 500;
    auto sending = spawn([&]() -> task<> {
      for (int i = 0; i < count; ++i) {
        signal_self(SIGUSR1);
        tick.set();
        while (tick.is_set()) co_await yield();
      }
    });
    int told = 0;
    for (int i = 0; i < count; ++i) {
      auto first = co_await select(heard.next(), tick.wait());
      if (first.index() == 1) (void)co_await heard.next();
      ++told;
      if (first.index() == 0) co_await tick.wait();
      tick.reset();
    }
    co_await sending;
    co_return told;
  };
  BOOST_TEST(rt.block_on(race) == 500);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_handled_is_an_error_and_a_fault_is_a_misuse) {
  auto listen = []() -> task<> {
    std::vector<int> numbers{SIGKILL, SIGSTOP, 0, -1, 65};
    for (int number : numbers) {
      BOOST_CHECK_THROW((signals{number}), system_error);
      BOOST_CHECK_THROW((signals{SIGUSR1, number}), system_error);
    }
    BOOST_TEST((handler_of(SIGUSR1) == SIG_DFL));
    BOOST_TEST(
        test::misuse_of([] { signals fault{SIGSEGV}; }).starts_with("a fault of the program"));
    co_return;
  };
  rt.block_on(listen);
}

BOOST_AUTO_TEST_CASE(without_descriptors_it_fails_and_leaves_the_signal_alone) {
  auto exhaust = []() -> task<> {
    test::no_more_fds full;
    BOOST_CHECK_THROW(signals{SIGUSR1}, system_error);
    BOOST_TEST((handler_of(SIGUSR1) == SIG_DFL));
    co_return;
  };
  rt.block_on(exhaust);
}

BOOST_AUTO_TEST_CASE(outside_a_runtime_or_without_a_network_it_is_a_misuse) {
  BOOST_TEST(test::misuse_of([] {
               signals outside{SIGUSR1};
             }).starts_with("a net function was called outside a runtime"));
  runtime_config bare_config;
  bare_config.network = false;
  runtime bare{bare_config};
  auto listen = []() -> task<std::string> {
    co_return test::misuse_of([] { signals none{SIGUSR1}; });
  };
  BOOST_TEST(bare.block_on(listen).starts_with(
      "a net function was called in a runtime without a network"));
}

BOOST_AUTO_TEST_CASE(who_waits_at_the_end_of_the_runtime_is_named_and_the_signal_put_back) {
  runtime_config one;
  one.workers = 1;
  auto ending = std::make_unique<runtime>(one);
  ending
      ->spawn([]() -> task<> {
        signals heard{SIGUSR1};
        (void)co_await heard.next();
      })
      .detach();
  auto let_it_wait = []() -> task<> {
    for (int i = 0; i < 100; ++i) co_await yield();
  };
  ending->block_on(let_it_wait);
  bool is_named = false;
  for (const auto& each : ending->tasks()) is_named |= each.waits_for == "a signal";
  BOOST_TEST(is_named);
  ending.reset();
  BOOST_TEST((handler_of(SIGUSR1) == SIG_DFL));
}

// Goal:   run() stops at SIGTERM as ever, and who listens to it is told as well.
BOOST_AUTO_TEST_CASE(a_stop_signal_that_is_listened_to_stops_the_program_too) {
  int told = 0;
  event ready;
  auto main_task = [&]() -> task<> {
    spawn([&]() -> task<> {
      signals heard{SIGTERM};
      ready.set();
      told = co_await heard.next();
    }).detach();
    co_await ready.wait();
    signal_self(SIGTERM);
    event never;
    co_await never.wait();
  };
  runtime_config config;
  config.workers = 2;
  BOOST_TEST(run(config, main_task) == 0);
  BOOST_TEST(told == SIGTERM);
  BOOST_TEST((handler_of(SIGTERM) == SIG_DFL));
}

BOOST_AUTO_TEST_CASE(a_run_that_leaves_signals_alone_leaves_them_to_who_listens) {
  auto main_task = [&]() -> task<int> {
    signals heard{SIGINT, SIGTERM};
    signal_self(SIGINT);
    int first = co_await heard.next();
    signal_self(SIGTERM);
    int second = co_await heard.next();
    co_return first == SIGINT&& second == SIGTERM ? 7 : 1;
  };
  runtime_config config;
  config.handle_signals = false;
  BOOST_TEST(run(config, main_task) == 7);
}

// A runtime object listens first, a run() begins and ends beside it: neither takes the signal from
// the other, in whatever order they end.
BOOST_AUTO_TEST_CASE(listeners_and_runs_end_in_any_order) {
  std::unique_ptr<signals> before;
  auto listen = [&]() -> task<> {
    before = std::make_unique<signals>(signals{SIGTERM});
    co_return;
  };
  rt.block_on(listen);
  auto main_task = [&]() -> task<> {
    before.reset();
    signal_self(SIGTERM);
    event never;
    co_await never.wait();
  };
  runtime_config config;
  config.workers = 1;
  BOOST_TEST(run(config, main_task) == 0);
  BOOST_TEST((handler_of(SIGTERM) == SIG_DFL));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::net
