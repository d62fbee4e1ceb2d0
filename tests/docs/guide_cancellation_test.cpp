// The snippets of docs/guide/cancellation.md, in its order.

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/io/framing.hpp>
#include <troupe/net/unix.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/interval.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/shield.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <sched/virtual_worker.hpp>

#include "page_snippets.hpp"

using namespace std::chrono_literals;

namespace {

using notes = std::vector<std::string>;

troupe::task<> count_seconds(int& seconds) {
  troupe::interval every{1s};
  for (;;) {
    co_await every.next();  // `canceled` is thrown out of here.
    ++seconds;
  }
}

troupe::task<int> count_for_a_while() {
  int seconds = 0;
  auto counting = troupe::spawn(count_seconds, std::ref(seconds));
  co_await troupe::sleep_for(3500ms);
  co_await counting.cancel();  // Asks, and waits until it has unwound: `seconds` may go.
  co_return seconds;
}

troupe::task<std::string> ask(std::string whom, troupe::duration takes) {
  co_await troupe::sleep_for(takes);
  co_return "answer of " + whom;
}

troupe::task<std::string> first_answer() {
  auto first = co_await troupe::select(ask("near", 10ms), ask("far", 200ms));
  // The other one has been stopped, and has unwound.
  if (first.index() == 0) co_return std::get<0>(first);
  co_return std::get<1>(first);
}

troupe::task<> work(notes& log) {
  log.push_back("at work");
  co_await troupe::sleep_for(1h);
}

troupe::task<> say_bye(notes& log) {
  co_await troupe::sleep_for(100ms);
  log.push_back("bye");
}

troupe::task<> clerk(notes& log) {
  std::exception_ptr left_by;
  try {
    co_await work(log);
  } catch (...) {  // A stop or a failure. No co_await is allowed in here.
    left_by = std::current_exception();
  }
  co_await troupe::shield(say_bye(log));
  if (left_by) std::rethrow_exception(left_by);
}

std::uint64_t count_steps(std::uint64_t limit) {
  std::uint64_t n = 0;
  while (n < limit && !troupe::stop_requested()) ++n;
  return n;
}

troupe::task<> note_lines(troupe::io::stream& peer, troupe::duration period, notes& log) {
  troupe::io::line_reader lines{peer};  // Outside of the loop: it holds what has come of a line.
  troupe::interval every{period};
  for (;;) {
    auto first = co_await troupe::select(lines.next_line(), every.next());
    if (first.index() == 1) {
      log.push_back("tick");
    } else if (auto& line = std::get<0>(first)) {
      log.push_back(*line);
    } else {
      co_return;
    }
  }
}

troupe::task<bool> hand_over(troupe::sender<std::string>& out, std::string& order,
                             troupe::event& closing) {
  auto first = co_await troupe::select(out.reserve(), closing.wait());
  if (first.index() == 1) co_return false;  // `order` is still ours.
  std::get<0>(std::move(first)).send(std::move(order));
  co_return true;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(guide_cancellation_, troupe::test::virtual_worker)

BOOST_AUTO_TEST_CASE(cancel_waits_for_the_end) { BOOST_TEST(rt.block_on(count_for_a_while) == 3); }

BOOST_AUTO_TEST_CASE(the_first_answer_ends_the_wait_for_the_other) {
  auto start = clock.now();
  BOOST_TEST(rt.block_on(first_answer) == "answer of near");
  BOOST_TEST((clock.now() - start < 200ms));
}

BOOST_AUTO_TEST_CASE(clean_up_runs_out_of_reach_of_the_stop) {
  notes log;
  auto stopped = [&log]() -> troupe::task<bool> {
    auto working = troupe::spawn(clerk, std::ref(log));
    co_await troupe::sleep_for(1s);
    co_await working.cancel();
    try {
      co_await working;
    } catch (const troupe::canceled&) {
      co_return true;
    }
    co_return false;
  };
  BOOST_TEST(rt.block_on(stopped));
  notes expected{"at work", "bye"};
  BOOST_TEST(log == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_computation_asks_by_itself) {
  BOOST_TEST(rt.block_on(count_steps, std::uint64_t{1000}) == 1000u);
  troupe::runtime_config config;
  config.workers = 2;
  config.network = false;
  troupe::runtime two{config};
  auto stopped = []() -> troupe::task<bool> {
    troupe::event begun;
    auto counting = troupe::spawn([&begun] {
      begun.set();
      return count_steps(UINT64_MAX);
    });
    co_await begun.wait();
    co_await counting.cancel();
    co_return co_await counting < UINT64_MAX;
  };
  BOOST_TEST(two.block_on(stopped));
}

BOOST_AUTO_TEST_CASE(a_tick_costs_no_part_of_a_line) {
  troupe::runtime_config config;
  config.workers = 1;
  troupe::runtime real{config};
  notes log;
  auto talk = [&log]() -> troupe::task<> {
    auto pair = troupe::net::stream_pair();
    auto& [near, far] = pair;
    auto reading = troupe::spawn(note_lines, std::ref(far), 1ms, std::ref(log));
    co_await near.write_all("half of ");
    while (log.empty()) co_await troupe::yield();  // Until a tick has interrupted the line.
    co_await near.write_all("a line\n");
    co_await near.shutdown();
    co_await reading;
  };
  real.block_on(talk);
  BOOST_TEST(log.front() == "tick");
  std::erase(log, "tick");
  BOOST_TEST(log == notes{"half of a line"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_was_not_sent_is_still_there) {
  auto ends = troupe::mpsc<std::string>(1);
  troupe::event closing;
  std::string first = "first", second = "second";
  BOOST_TEST(rt.block_on(hand_over, std::ref(ends.tx), std::ref(first), std::ref(closing)));
  closing.set();
  BOOST_TEST(!rt.block_on(hand_over, std::ref(ends.tx), std::ref(second), std::ref(closing)));
  BOOST_TEST(second == "second");
  BOOST_TEST(ends.rx.try_recv().value() == "first");
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled) {
  BOOST_TEST(troupe::test::check_snippets(
                 {"docs/guide/cancellation.md", "tests/docs/guide_cancellation_test.cpp"}) == 6);
}

BOOST_AUTO_TEST_SUITE_END()
