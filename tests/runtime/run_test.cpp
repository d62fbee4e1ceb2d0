#include <chrono>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/pal/thread.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/sched/block_on.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/spawn_blocking.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/failure.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <captured_log.hpp>
#include <thrown_misuse.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

// A short life on two workers, under a clock that costs no time.
struct quick_run {
  pal::virtual_clock clock;
  runtime_config config;

  explicit quick_run(std::size_t workers = 2) {
    config.workers = workers;
    config.clock = &clock;
    config.handle_signals = false;
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string here(int line) { return std::string{"run_test.cpp:"} + std::to_string(line); }

task<> throw_at_once() {
  throw std::runtime_error{"no such file"};
  co_return;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(run_)

// Goal:   run() returns only when main, and all that it and its tasks have spawned, have ended.
// Method: main ends first; each task sleeps, then spawns the next.
BOOST_AUTO_TEST_CASE(run_ends) {
  quick_run quick;
  int ended = 0;
  struct generation {
    static task<> live(int left, int& count) {
      co_await sleep_for(1s);
      if (left > 1) spawn(&live, left - 1, std::ref(count)).detach();
      ++count;
    }
  };
  auto main_task = [&ended]() -> task<> {
    spawn(&generation::live, 10, std::ref(ended)).detach();
    co_return;
  };
  BOOST_TEST(run(quick.config, main_task) == 0);
  BOOST_TEST(ended == 10);
}

BOOST_AUTO_TEST_CASE(run_ends_after_blocking_work) {
  quick_run quick;
  pal::atomic<bool> may_end{false};
  bool ended = false;
  auto main_task = [&]() -> task<> {
    (void)spawn_blocking([&] {
      while (!may_end.load()) std::this_thread::yield();
      ended = true;
    });
    spawn([&]() -> task<> {
      for (int i = 0; i < 100; ++i) co_await yield();
      may_end.store(true);
    }).detach();
    co_return;
  };
  BOOST_TEST(run(quick.config, main_task) == 0);
  BOOST_TEST(ended);
}

// Goal:   what a foreign thread has promised to bring keeps run() from ending.
// Method: a guard is held by a thread that sets an event only after main has ended.
BOOST_AUTO_TEST_CASE(run_ends_after_foreign_guards) {
  quick_run quick;
  event promised;
  pal::atomic<bool> main_has_ended{false};
  bool kept = false;
  pal::thread foreign;
  auto main_task = [&]() -> task<> {
    scheduler* from = scheduler::current();
    from->add_guard();
    foreign = pal::thread{[&promised, &main_has_ended, from] {
      while (!main_has_ended.load()) std::this_thread::yield();
      promised.set();
      from->remove_guard();
    }};
    spawn([&]() -> task<> {
      main_has_ended.store(true);
      co_await promised.wait();
      kept = true;
    }).detach();
    co_return;
  };
  BOOST_TEST(run(quick.config, main_task) == 0);
  foreign.join();
  BOOST_TEST(kept);
}

BOOST_AUTO_TEST_CASE(returns_the_value_of_main) {
  quick_run quick;
  BOOST_TEST(run(quick.config, []() -> task<int> { co_return 42; }) == 42);
  BOOST_TEST(run(quick.config, []() -> task<> { co_return; }) == 0);
}

BOOST_AUTO_TEST_CASE(hands_its_arguments_to_main) {
  quick_run quick;
  auto main_task = [](std::unique_ptr<int> owned, std::string text) -> task<int> {
    co_await yield();
    co_return *owned + static_cast<int>(text.size());
  };
  BOOST_TEST(run(quick.config, main_task, std::make_unique<int>(3), "four") == 7);
}

BOOST_AUTO_TEST_CASE(an_exception_out_of_main_is_one_line_and_1) {
  quick_run quick;
  test::captured_log log;
  BOOST_TEST(run(quick.config, &throw_at_once) == 1);
  BOOST_TEST_REQUIRE(log.lines().size() == 1u);
  BOOST_TEST(log.lines()[0] == "main ended with an exception: no such file");
}

BOOST_AUTO_TEST_CASE(an_exception_that_is_no_std_exception_is_one_line_and_1) {
  quick_run quick;
  test::captured_log log;
  auto main_task = []() -> task<int> {
    co_await yield();
    throw 7;
  };
  BOOST_TEST(run(quick.config, main_task) == 1);
  BOOST_TEST(log.lines().size() == 1u);
  BOOST_TEST(log.count("main ended with an exception") == 1u);
}

BOOST_AUTO_TEST_CASE(an_exception_before_main_is_a_coroutine_counts_as_mains) {
  quick_run quick;
  test::captured_log log;
  auto main_task = []() -> task<int> { throw std::runtime_error{"early"}; };
  BOOST_TEST(run(quick.config, main_task) == 1);
  BOOST_TEST(log.count("main ended with an exception: early") == 1u);
  BOOST_TEST(log.lines().size() == 1u);
}

BOOST_AUTO_TEST_CASE(tasks_go_on_after_an_exception_out_of_main) {
  quick_run quick;
  test::captured_log log;
  bool ended = false;
  auto main_task = [&]() -> task<> {
    spawn([&]() -> task<> {
      co_await sleep_for(1h);
      ended = true;
    }).detach();
    throw std::runtime_error{"gone"};
  };
  BOOST_TEST(run(quick.config, main_task) == 1);
  BOOST_TEST(ended);
}

// Goal:   a program in which tasks wait for one another for ever ends with 1, and says who waits
//         for what, where.
// Method: main waits for a channel that a task keeps open; that task waits for another one.
BOOST_AUTO_TEST_CASE(run_ends_when_only_waiters_remain) {
  quick_run quick;
  test::captured_log log;
  int main_waits = 0, task_waits = 0, spawned = 0;
  auto main_task = [&]() -> task<> {
    auto open = mpsc<int>(1);
    auto silent = mpsc<int>(1);
    auto keeper = [&](sender<int> kept) -> task<> {
      task_waits = __LINE__ + 1;
      while (auto never = co_await silent.rx.recv()) (void)kept;
    };
    spawned = __LINE__ + 1;
    auto handle = spawn(keeper, std::move(open.tx));
    main_waits = __LINE__ + 1;
    (void)co_await open.rx.recv();
  };
  BOOST_TEST(run(quick.config, main_task) == 1);
  BOOST_TEST_REQUIRE(log.lines().size() == 3u);
  BOOST_TEST(log.count("the program is stuck") == 1u);
  BOOST_TEST(log.count("waits for a message (recv)") == 2u);
  BOOST_TEST(log.count(here(main_waits)) == 1u);
  BOOST_TEST(log.count(here(task_waits)) == 1u);
  BOOST_TEST(log.count(here(spawned)) == 1u);
}

BOOST_AUTO_TEST_CASE(the_list_of_a_stuck_program_leaves_out_what_has_ended) {
  quick_run quick;
  test::captured_log log;
  event never;
  auto main_task = [&]() -> task<> {
    auto waiting = [](event& awaited, join_handle<void> held) -> task<> {
      co_await awaited.wait();
      co_await held;
    };
    auto done = spawn([]() -> task<> { co_return; });
    while (!done.done()) co_await yield();
    spawn(waiting, std::ref(never), std::move(done)).detach();
  };
  BOOST_TEST(run(quick.config, main_task) == 1);
  BOOST_TEST(log.lines().size() == 2u);  // Neither main nor `done`.
  BOOST_TEST(log.count("waits for an event") == 1u);
}

BOOST_AUTO_TEST_CASE(what_waits_in_a_stuck_program_is_destroyed) {
  quick_run quick;
  test::captured_log log;
  event never;
  auto owned = std::make_shared<int>(1);
  auto main_task = [&]() -> task<> {
    auto kept = owned;
    co_await never.wait();
  };
  BOOST_TEST(run(quick.config, main_task) == 1);
  BOOST_TEST(owned.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(refuses_to_run_inside_a_task) {
  quick_run quick;
  std::string text;
  auto main_task = [&]() -> task<> {
    text = test::misuse_of([] { (void)run([]() -> task<> { co_return; }); });
    co_return;
  };
  BOOST_TEST(run(quick.config, main_task) == 0);
  BOOST_TEST(contains(text, "run() was called inside a task"));
  BOOST_TEST(contains(text, "co_await"));
}

BOOST_AUTO_TEST_CASE(refuses_to_block_on_a_worker) {
  quick_run quick;
  std::string text;
  auto main_task = [&]() -> task<> {
    text = test::misuse_of([] { block_on(*scheduler::current(), []() -> task<> { co_return; }); });
    co_return;
  };
  BOOST_TEST(run(quick.config, main_task) == 0);
  BOOST_TEST(contains(text, "block_on() was called on a worker"));
}

BOOST_AUTO_TEST_CASE(task_context) {
  auto text = test::misuse_of([] { spawn([]() -> task<> { co_return; }).detach(); });
  BOOST_TEST(contains(text, "spawn() was called outside a runtime"));
  BOOST_TEST(contains(text, "troupe::run(main)"));
  BOOST_TEST(!contains(text, "\n"));
}

BOOST_AUTO_TEST_CASE(a_bad_setting_is_one_line_and_1) {
  test::captured_log log;
  runtime_config config;
  config.max_blocking_threads = 0;
  bool ran = false;
  auto main_task = [&]() -> task<> {
    ran = true;
    co_return;
  };
  BOOST_TEST(run(config, main_task) == 1);
  BOOST_TEST(!ran);
  BOOST_TEST(log.lines().size() == 1u);
  BOOST_TEST(log.count("max_blocking_threads") == 1u);
}

BOOST_AUTO_TEST_CASE(one_worker_runs_tasks_that_wait_for_each_other) {
  quick_run quick{1};
  int sum = 0;
  auto main_task = [&]() -> task<> {
    auto ends = mpsc<int>(1);
    auto send_all = [](sender<int> out) -> task<> {
      for (int i = 1; i <= 100; ++i) co_await out.send(i);
    };
    auto sending = spawn(send_all, std::move(ends.tx));
    while (auto n = co_await ends.rx.recv()) sum += *n;
    co_await sending;
  };
  BOOST_TEST(run(quick.config, main_task) == 0);
  BOOST_TEST(sum == 5050);
}

BOOST_AUTO_TEST_CASE(can_be_called_again_and_from_several_threads_at_once) {
  pal::atomic<int> sum{0};
  std::vector<pal::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&sum] {
      for (int round = 0; round < 10; ++round) {
        quick_run quick;
        auto main_task = []() -> task<int> {
          co_await sleep_for(1s);
          co_return 1;
        };
        sum.fetch_add(run(quick.config, main_task));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  BOOST_TEST(sum.load() == 40);
}

BOOST_AUTO_TEST_CASE(works_without_the_network) {
  quick_run quick;
  quick.config.network = false;
  auto main_task = []() -> task<int> {
    co_await sleep_for(1s);
    co_return 3;
  };
  BOOST_TEST(run(quick.config, main_task) == 3);
}

// Goal:   hours of sleeping under the virtual clock take no time, and none is slept too short.
BOOST_AUTO_TEST_CASE(an_hour_of_sleeps_passes_under_the_virtual_clock) {
  quick_run quick{1};
  time_point before = quick.clock.now();
  auto main_task = []() -> task<> {
    for (int i = 0; i < 3600; ++i) co_await sleep_for(1s);
  };
  BOOST_TEST(run(quick.config, main_task) == 0);
  BOOST_CHECK(quick.clock.now() - before >= 1h);
  BOOST_CHECK(quick.clock.now() - before < 1h + 3600 * 1ms);
}

namespace {

std::vector<int> order_of(std::uint64_t seed) {
  quick_run quick{1};
  quick.config.seed = seed;
  std::vector<int> order;
  auto step = [&order](int self) -> task<> {
    for (int i = 0; i < 5; ++i) {
      order.push_back(self);
      co_await yield();
    }
  };
  auto main_task = [&]() -> task<> {
    for (int i = 0; i < 8; ++i) spawn(step, i).detach();
    co_return;
  };
  BOOST_TEST(run(quick.config, main_task) == 0);
  return order;
}

}  // namespace

BOOST_AUTO_TEST_CASE(one_seed_gives_one_order_and_others_give_others) {
  auto first = order_of(1);
  BOOST_TEST(first.size() == 40u);
  BOOST_TEST(first == order_of(1));
  bool differs = false;
  for (std::uint64_t seed = 2; seed < 6; ++seed) differs |= order_of(seed) != first;
  BOOST_TEST(differs);
}

BOOST_AUTO_TEST_CASE(an_empty_main_takes_2_ms_at_most, *boost::unit_test::label("timing")) {
  auto best = std::chrono::nanoseconds::max();
  for (int i = 0; i < 5; ++i) {
    auto began = std::chrono::steady_clock::now();
    BOOST_TEST(run([]() -> task<> { co_return; }) == 0);
    best = std::min<std::chrono::nanoseconds>(best, std::chrono::steady_clock::now() - began);
  }
  BOOST_TEST_MESSAGE("best of five: " << best.count() / 1000 << " us");
  BOOST_CHECK(best <= 2ms);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
