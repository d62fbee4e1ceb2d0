// The snippets of docs/guide/time.md, in its order.

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/base/result.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/interval.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>

#include <sched/virtual_worker.hpp>

#include "page_snippets.hpp"

using namespace std::chrono_literals;

namespace {

troupe::task<> beat(troupe::sender<int> out) {
  troupe::interval every{30s};
  for (int n = 1;; ++n) {
    co_await every.next();
    co_await out.send(n);
  }
}

troupe::task<std::string> next_or_none(troupe::receiver<std::string>& lines) {
  auto line = co_await troupe::timeout(2s, lines.recv()).as_result();
  if (line.has_error()) co_return "nothing came";  // errc::timed_out; nothing was taken.
  co_return line->value_or("the end");
}

troupe::task<int> slow_step(int milliseconds) {
  co_await troupe::sleep_for(std::chrono::milliseconds{milliseconds});
  co_return milliseconds;
}

troupe::task<int> two_steps() {
  int sum = co_await slow_step(300);
  sum += co_await slow_step(400);
  co_return sum;
}

troupe::task<int> within_a_second() {
  co_return co_await troupe::timeout(1s, two_steps());  // One limit for all that it awaits.
}

troupe::task<int> both_until(troupe::time_point deadline) {
  int sum = co_await troupe::timeout_at(deadline, slow_step(300));
  sum += co_await troupe::timeout_at(deadline, slow_step(400));
  co_return sum;
}

int attempts = 0;

troupe::task<std::string> load() {
  if (++attempts < 4) throw troupe::system_error{troupe::errc::closed};
  co_return "the page";
}

troupe::task<std::string> load_with_patience() {
  troupe::duration pause = 100ms;
  for (int attempt = 1;; ++attempt) {
    try {
      co_return co_await troupe::timeout(1s, load());
    } catch (const troupe::system_error&) {
      if (attempt == 5) throw;
    }
    co_await troupe::sleep_for(pause);
    pause *= 2;
  }
}

troupe::task<int> count_beats(troupe::duration length) {
  auto [tx, rx] = troupe::mpsc<int>(1);
  auto beating = troupe::spawn(beat, std::move(tx));
  auto end = troupe::now() + length;
  int count = 0;
  for (;;) {
    auto first = co_await troupe::select(rx.recv(), troupe::sleep_until(end));
    if (first.index() == 1) break;
    ++count;
  }
  co_await beating.cancel();
  co_return count;
}

int beats_of_a_day() {
  troupe::pal::virtual_clock clock;
  troupe::runtime_config config;
  config.workers = 1;
  config.clock = &clock;
  config.network = false;
  troupe::runtime rt{config};
  int beats = rt.block_on(count_beats, 24h);
  return beats;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(guide_time_, troupe::test::virtual_worker)

BOOST_AUTO_TEST_CASE(a_limit_leaves_the_channel_as_it_was) {
  auto ends = troupe::mpsc<std::string>(4);
  auto start = clock.now();
  BOOST_TEST(rt.block_on(next_or_none, std::ref(ends.rx)) == "nothing came");
  BOOST_TEST((clock.now() - start >= 2s));
  BOOST_TEST(ends.tx.try_send("a line").has_value());
  BOOST_TEST(rt.block_on(next_or_none, std::ref(ends.rx)) == "a line");
  ends.rx.close();
  BOOST_TEST(rt.block_on(next_or_none, std::ref(ends.rx)) == "the end");
}

BOOST_AUTO_TEST_CASE(one_limit_holds_for_several_steps) {
  BOOST_TEST(rt.block_on(within_a_second) == 700);
  BOOST_TEST(rt.block_on(both_until, clock.now() + 1s) == 700);
  try {
    rt.block_on(both_until, clock.now() + 500ms);
    BOOST_TEST(false);
  } catch (const troupe::system_error& error) {
    BOOST_TEST((error.code() == troupe::errc::timed_out));
  }
}

BOOST_AUTO_TEST_CASE(pauses_grow) {
  auto start = clock.now();
  BOOST_TEST(rt.block_on(load_with_patience) == "the page");
  BOOST_TEST((clock.now() - start >= 700ms));
  BOOST_TEST((clock.now() - start < 710ms));
}

BOOST_AUTO_TEST_CASE(a_day_of_beats) {
  int beats = beats_of_a_day();
  BOOST_TEST(beats >= 24 * 60 * 2 - 1);
  BOOST_TEST(beats <= 24 * 60 * 2);
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled) {
  BOOST_TEST(
      troupe::test::check_snippets({"docs/guide/time.md", "tests/docs/guide_time_test.cpp"}) == 7);
}

BOOST_AUTO_TEST_SUITE_END()
