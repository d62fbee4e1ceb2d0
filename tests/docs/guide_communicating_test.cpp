// The snippets of docs/guide/communicating.md, in its order; the first three are of samples.

#include <chrono>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <boost/test/unit_test.hpp>

#include <troupe/sched/interval.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/merge.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>

#include <sched/virtual_worker.hpp>

#include "page_snippets.hpp"

using namespace std::chrono_literals;

namespace {

using notes = std::vector<std::string>;

troupe::task<> send_three(troupe::sender<int> out, notes& log) {
  for (int n = 1; n <= 3; ++n) {
    co_await out.send(n);
    log.push_back(fmt::format("sent {}", n));
  }
}

troupe::task<notes> receive_slowly() {
  notes log;
  auto [tx, rx] = troupe::mpsc<int>(1);  // Room for one.
  auto sending = troupe::spawn(send_three, std::move(tx), std::ref(log));
  while (auto n = co_await rx.recv()) {
    log.push_back(fmt::format("got {}", *n));
    co_await troupe::sleep_for(1s);
  }
  co_await sending;
  co_return log;
}

troupe::task<int> send_what_fits(troupe::sender<std::string> out, std::string line) {
  int dropped = 0;
  for (int i = 0; i < 5; ++i) {
    auto sent = out.try_send(std::string{line});  // Never waits.
    if (sent.has_error() && sent.error() == troupe::errc::full) ++dropped;
  }
  co_return dropped;
}

troupe::task<notes> add_up(troupe::receiver<int> numbers) {
  notes log;
  int sum = 0;
  auto items = troupe::merge(numbers, troupe::interval{10s});
  for (;;) {
    auto item = co_await items.next();  // A number, a tick, or the end.
    if (auto* n = std::get_if<int>(&item)) {
      sum += *n;
    } else {
      log.push_back(fmt::format("sum = {}", std::exchange(sum, 0)));
      if (std::holds_alternative<troupe::done>(item)) break;
    }
  }
  co_return log;
}

troupe::task<int> take_until(troupe::receiver<int>& numbers, troupe::event& enough) {
  int sum = 0;
  for (;;) {
    auto first = co_await troupe::select(numbers.recv(), enough.wait());
    if (first.index() == 1) co_return sum;  // Nothing was taken from the channel.
    auto& number = std::get<0>(first);
    if (!number) co_return sum;
    sum += *number;
  }
}

troupe::task<> send_at_times(troupe::sender<int> out) {
  co_await out.send(1);
  co_await troupe::sleep_for(5s);
  co_await out.send(2);
  co_await troupe::sleep_for(6s);
  co_await out.send(4);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(guide_communicating_, troupe::test::virtual_worker)

BOOST_AUTO_TEST_CASE(a_full_channel_holds_its_sender_up) {
  notes expected{"sent 1", "got 1", "sent 2", "got 2", "sent 3", "got 3"};
  BOOST_TEST(rt.block_on(receive_slowly) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_told) {
  auto ends = troupe::mpsc<std::string>(3);
  BOOST_TEST(rt.block_on(send_what_fits, ends.tx, "line") == 2);
}

BOOST_AUTO_TEST_CASE(values_and_ticks_are_one_sequence) {
  // Both begin in one turn: the clock would jump if one of them were alone.
  auto send_and_add = []() -> troupe::task<notes> {
    auto ends = troupe::mpsc<int>(16);
    auto sending = troupe::spawn(send_at_times, std::move(ends.tx));
    co_return co_await add_up(std::move(ends.rx));
  };
  notes expected{"sum = 3", "sum = 4"};
  BOOST_TEST(rt.block_on(send_and_add) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_event_ends_the_taking_and_nothing_is_lost) {
  auto ends = troupe::mpsc<int>(16);
  BOOST_TEST(ends.tx.try_send(1).has_value());
  BOOST_TEST(ends.tx.try_send(2).has_value());
  troupe::event enough;
  auto taking = [&]() -> troupe::task<int> {
    auto sum = troupe::spawn(take_until, std::ref(ends.rx), std::ref(enough));
    co_await troupe::sleep_for(1s);
    enough.set();
    co_return co_await sum;
  };
  BOOST_TEST(rt.block_on(taking) == 3);
  BOOST_TEST(ends.tx.try_send(3).has_value());
  BOOST_TEST(ends.rx.try_recv().value() == 3);
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled) {
  BOOST_TEST(troupe::test::check_snippets(
                 "docs/guide/communicating.md",
                 {"samples/tasks/oneshot_result.cpp", "samples/tasks/mpsc_stream.cpp",
                  "tests/docs/guide_communicating_test.cpp"}) == 7);
}

BOOST_AUTO_TEST_SUITE_END()
