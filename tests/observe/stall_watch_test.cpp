#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/observe/stall_watch.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/yield.hpp>

#include <captured_log.hpp>
#include <forked.hpp>

// The watch goes by real time; what is stalled here waits until it was told of, however late.

namespace troupe {

using namespace std::chrono_literals;

namespace {

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TROUPE_TEST_UNDER_TSAN  // It keeps signals back from a thread that computes.
#endif
#endif

struct block {
  const test::captured_log* until;
  std::string text;
};

void wait_for_line(const test::captured_log& log, const std::string& text) {
  while (log.count(text) == 0) pal::yield_thread();
}

class blocker : public actor {
public:
  void on(block m) { wait_for_line(*m.until, m.text); }
};

class patient : public actor {
public:
  task<> on(block m) {
    co_await sleep_for(1ms);
    wait_for_line(*m.until, m.text);
  }
};

runtime_config watched(std::chrono::nanoseconds threshold) {
  runtime_config config;
  config.workers = 2;
  config.stall_threshold = threshold;
  return config;
}

template <class A>
task<> ask_one_that_blocks(const test::captured_log& log, std::string text) {
  actor_options options;
  options.name = "sleepy";
  auto a = spawn<A>(options);
  block message{&log, std::move(text)};
  co_await a.ask(take(message), no_deadline);
}

std::string only_line_with(const test::captured_log& log, const std::string& part) {
  for (const std::string& line : log.lines()) {
    if (line.find(part) != std::string::npos) return line;
  }
  return {};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stall_watch_)

BOOST_AUTO_TEST_CASE(tells_which_handler_of_which_actor_holds_its_worker) {
  test::captured_log log;
  runtime rt{watched(5ms)};
  rt.block_on([&] { return ask_one_that_blocks<blocker>(log, "is held up"); });
  std::string line = only_line_with(log, "is held up");
  BOOST_TEST(contains(line, "block) of actor sleepy"));
  BOOST_TEST(contains(line, " ms and more, in on("));
}

BOOST_AUTO_TEST_CASE(tells_a_coroutine_handler_and_the_line_it_was_resumed_at) {
  test::captured_log log;
  runtime rt{watched(5ms)};
  rt.block_on([&] { return ask_one_that_blocks<patient>(log, "is held up"); });
  std::string line = only_line_with(log, "is held up");
  BOOST_TEST(contains(line, "block) of actor sleepy, resumed at "));
  BOOST_TEST(contains(line, "stall_watch_test.cpp:"));
}

BOOST_AUTO_TEST_CASE(tells_a_task_by_the_line_that_has_spawned_it) {
  test::captured_log log;
  runtime rt{watched(5ms)};
  rt.block_on([&]() -> task<> {
    auto held = spawn([&]() -> task<> {
      wait_for_line(log, "is held up");
      co_return;
    });
    co_await held;
  });
  std::string line = only_line_with(log, "is held up");
  BOOST_TEST(contains(line, "in task spawned at "));
  BOOST_TEST(contains(line, "stall_watch_test.cpp:"));
}

BOOST_AUTO_TEST_CASE(tells_the_source_line_when_it_may_ask_the_thread) {
#if !defined(TROUPE_TEST_UNDER_TSAN)
  // A thread may be held up before it is where it will wait: then another one is asked.
  std::string line;
  for (int tries = 0; tries < 100 && !contains(line, "wait_for_line"); ++tries) {
    test::captured_log log;
    runtime rt{watched(0ns)};
    stall_watch watch{rt.scheduler(), {5ms, true}};
    rt.block_on([&] { return ask_one_that_blocks<blocker>(log, "is held up"); });
    line = only_line_with(log, "is held up");
  }
  BOOST_TEST_INFO(line);
  BOOST_TEST(contains(line, "stall_watch_test.cpp:"));
  BOOST_TEST(contains(line, "wait_for_line"));
#endif
}

BOOST_AUTO_TEST_CASE(a_runtime_object_leaves_signals_alone) {
  auto seen = test::run_forked([] {
    ::signal(SIGURG, SIG_DFL);
    runtime rt{watched(5ms)};
    struct sigaction present{};
    ::sigaction(SIGURG, nullptr, &present);
    return present.sa_handler == SIG_DFL ? 0 : 1;
  });
  BOOST_TEST(seen.code == 0);
}

// Goal:   what stays held is told of again, and what follows within a second is counted.
BOOST_AUTO_TEST_CASE(tells_at_most_one_line_in_a_second_and_how_many_it_left_out) {
  test::captured_log log;
  runtime rt{watched(2ms)};
  rt.block_on([&] { return ask_one_that_blocks<blocker>(log, "were not told of"); });
  BOOST_TEST(log.count("is held up") == 2u);
}

BOOST_AUTO_TEST_CASE(says_nothing_of_many_short_turns_nor_of_waits) {
  test::captured_log log;
  runtime rt{watched(200ms)};  // Longer than another program may hold a core.
  auto until = std::chrono::steady_clock::now() + 500ms;
  rt.block_on([&]() -> task<> {
    while (std::chrono::steady_clock::now() < until) co_await yield();
  });
  BOOST_TEST(log.count("is held up") == 0u);
}

BOOST_AUTO_TEST_CASE(leaves_out_calls_of_the_system_and_of_the_library) {
  std::vector<stack_frame> calls{{"__futex", "", 0},
                                 {"std::sort", "/usr/include/c++/12/x", 3},
                                 {"mine::slow", "/src/troupe/mine.cpp", 7},
                                 {"troupe::run", "/src/framework/troupe/runtime/run.cpp", 9},
                                 {"main", "/src/main.cpp", 11}};
  BOOST_TEST(first_own_calls(calls) ==
             "/src/troupe/mine.cpp:7 in mine::slow, called from /src/main.cpp:11");
  BOOST_TEST(first_own_calls(std::vector<stack_frame>{}) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
