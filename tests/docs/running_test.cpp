// The snippets of docs/running.md, in its order.

#include <poll.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/base/log.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>

#include "page_snippets.hpp"

using namespace std::chrono_literals;

namespace {

troupe::task<> open_for_business() { co_return; }
troupe::task<int> answer() { co_return 21; }

int serve() {
  troupe::runtime_config config;
  config.workers = 2;
  config.thread_name = "bank";
  return troupe::run(config, open_for_business);
}

int count_in_two() {
  troupe::runtime first, second;
  int left = first.block_on(answer);
  return left + second.block_on(answer);
}

std::vector<std::string> kept_lines;

void keep(troupe::log_level level, std::string_view line) {
  if (level >= troupe::log_level::warning) kept_lines.push_back(std::string{line});
}

void be_a_guest(troupe::runtime& guest, const bool& has_ended) {
  for (;;) {
    while (guest.poll() != 0) {
    }
    if (has_ended) return;
    pollfd waited{guest.descriptor(), POLLIN, 0};
    auto left = guest.time_to_next_timer();
    ::poll(&waited, 1, left ? static_cast<int>(*left / 1ms) + 1 : -1);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(running_page_)

BOOST_AUTO_TEST_CASE(both_ways_to_start_work) {
  BOOST_TEST(serve() == 0);
  BOOST_TEST(count_in_two() == 42);
}

BOOST_AUTO_TEST_CASE(a_bad_variable_is_one_line_in_the_sink) {
  troupe::log_sink former = troupe::set_log_sink(nullptr);
  troupe::set_log_sink(&keep);
  ::setenv("TROUPE_DEADLINE", "5", 1);
  int code = serve();
  ::unsetenv("TROUPE_DEADLINE");
  troupe::set_log_sink(former);
  BOOST_TEST(code == 1);
  BOOST_TEST_REQUIRE(kept_lines.size() == 1u);
  BOOST_TEST(kept_lines[0] ==
             "the runtime could not start: TROUPE_DEADLINE is '5': it must be a duration above "
             "zero like 250ms or 5s, with ns, us, ms, s, min or h");
}

BOOST_AUTO_TEST_CASE(a_host_drives_a_runtime) {
  troupe::runtime_config config;
  config.caller_driven = true;
  troupe::runtime guest{config};
  bool has_ended = false;
  auto held = guest.spawn([&]() -> troupe::task<> {
    co_await troupe::sleep_for(1ms);
    has_ended = true;
  });
  be_a_guest(guest, has_ended);
  BOOST_TEST(has_ended);
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_here) {
  BOOST_TEST(troupe::test::check_snippets({"docs/running.md", "tests/docs/running_test.cpp"}) == 5);
}

BOOST_AUTO_TEST_SUITE_END()
