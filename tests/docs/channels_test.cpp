// The snippets of docs/channels.md, in its order. Each block of the page stands here line by line,
// but for the indentation; the last case holds that.

#include <algorithm>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/sync/broadcast.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/format.hpp>
#include <troupe/sync/join_set.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/sync/oneshot.hpp>
#include <troupe/sync/semaphore.hpp>
#include <troupe/sync/watch.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <sched/virtual_worker.hpp>

#include "page_snippets.hpp"

namespace {

troupe::task<int> sum_of_lines() {
  auto ends = troupe::mpsc<int>(16);
  troupe::spawn(
      [](troupe::sender<int> out) -> troupe::task<> {
        for (int n = 1; n <= 4; ++n) co_await out.send(n);
      },
      std::move(ends.tx));
  int sum = 0;
  while (auto n = co_await ends.rx.recv()) sum += *n;
  co_return sum;
}

troupe::task<std::string> ask_once() {
  auto ends = troupe::oneshot<std::string>();
  troupe::spawn([answer = std::move(ends.tx)]() mutable { answer.send("42"); });
  co_return co_await ends.rx;
}

troupe::task<> follow(troupe::watch_receiver<int> level, std::vector<int>& seen) {
  seen.push_back(level.get());
  while (auto latest = co_await level.next()) seen.push_back(*latest);
}

troupe::task<std::vector<int>> watch_level() {
  auto ends = troupe::watch(1);
  std::vector<int> seen;
  auto following = troupe::spawn(follow, ends.rx, std::ref(seen));
  co_await troupe::yield();
  ends.tx.set(2);
  ends.tx.update([](int& level) { ++level; });
  {
    auto last = std::move(ends.tx);
  }
  co_await following;
  co_return seen;  // 1, 3
}

troupe::task<std::string> hear(troupe::broadcast_receiver<std::string> news) {
  std::string heard;
  while (auto got = co_await news.recv()) {
    if (auto* gap = std::get_if<troupe::lagged>(&*got)) {
      heard += fmt::format("[{}] ", *gap);
    } else {
      heard += std::get<std::string>(*got) + ' ';
    }
  }
  co_return heard;
}

troupe::task<std::string> tell_all() {
  auto ends = troupe::broadcast<std::string>(2);
  auto late = troupe::spawn(hear, std::move(ends.rx));
  for (const char* word : {"one", "two", "three"}) ends.tx.send(word);
  {
    auto last = std::move(ends.tx);
  }
  co_return co_await late;  // [1 value missed] two three
}

troupe::task<bool> wait_until_ready() {
  troupe::event ready;
  auto waiting = troupe::spawn([&ready]() -> troupe::task<> { co_await ready.wait(); });
  ready.set();
  co_await waiting;
  co_return ready.is_set();
}

troupe::task<> call(troupe::semaphore& at_most_two, int& running, int& most) {
  auto permit = co_await at_most_two.acquire();
  most = std::max(most, ++running);
  co_await troupe::yield();
  --running;
}

troupe::task<int> call_all() {
  troupe::semaphore at_most_two{2};
  int running = 0, most = 0;
  co_await troupe::scope([&](troupe::scope_handle s) -> troupe::task<> {
    for (int i = 0; i < 10; ++i) {
      s.spawn(call, std::ref(at_most_two), std::ref(running), std::ref(most));
    }
    co_return;
  });
  co_return most;
}

int square(int n) { return n * n; }

troupe::task<int> sum_of_squares() {
  troupe::join_set<int> tasks;
  for (int n = 1; n <= 3; ++n) tasks.spawn(square, n);
  int sum = 0;
  while (auto ended = co_await tasks.next()) sum += *ended;
  co_return sum;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(channels_page_, troupe::test::virtual_worker)

BOOST_AUTO_TEST_CASE(mpsc_sums) { BOOST_TEST(rt.block_on(sum_of_lines) == 10); }

BOOST_AUTO_TEST_CASE(oneshot_answers) { BOOST_TEST(rt.block_on(ask_once) == "42"); }

BOOST_AUTO_TEST_CASE(watch_skips_to_the_latest) {
  BOOST_TEST(rt.block_on(watch_level) == (std::vector{1, 3}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(broadcast_tells_the_gap) {
  BOOST_TEST(rt.block_on(tell_all) == "[1 value missed] two three ");
}

BOOST_AUTO_TEST_CASE(event_is_seen) { BOOST_TEST(rt.block_on(wait_until_ready)); }

BOOST_AUTO_TEST_CASE(semaphore_limits) { BOOST_TEST(rt.block_on(call_all) == 2); }

BOOST_AUTO_TEST_CASE(join_set_takes_all) { BOOST_TEST(rt.block_on(sum_of_squares) == 14); }

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled_here) {
  BOOST_TEST(troupe::test::check_snippets({"docs/channels.md", "tests/docs/channels_test.cpp"}) ==
             7);
}

BOOST_AUTO_TEST_SUITE_END()
