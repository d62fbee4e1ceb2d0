#include <algorithm>
#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/runtime/run.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/merge.hpp>
#include <troupe/task/spawn.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

// Runs `main_task` on one worker, under a clock that moves only when nothing can run.
template <class F>
void run_quietly(pal::virtual_clock& clock, F main_task) {
  runtime_config config;
  config.workers = 1;
  config.clock = &clock;
  config.handle_signals = false;
  BOOST_TEST(run(config, main_task) == 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(merge_)

// Goal:   a channel that is always ready never hides a tick that is due, and no tick hides it.
// Method: an unbounded channel is kept full, and each message lets a whole period pass.
BOOST_AUTO_TEST_CASE(select_fair_merge) {
  pal::virtual_clock clock;
  int messages = 0, ticks = 0, worst = 0;
  run_quietly(clock, [&]() -> task<> {
    auto ends = mpsc_unbounded<int>();
    auto items = merge(ends.rx, interval{1s, missed_ticks::burst});
    int without_tick = 0;
    for (int i = 0; i < 1000; ++i) {
      for (int n = 0; n < 2; ++n) (void)ends.tx.try_send(i);
      auto item = co_await items.next();
      if (item.index() == 0) {
        ++messages;
        worst = std::max(worst, ++without_tick);
      } else {
        ++ticks;
        without_tick = 0;
      }
      clock.advance(1s);
    }
  });
  BOOST_TEST(messages + ticks == 1000);
  BOOST_TEST(messages > 400);
  BOOST_TEST(ticks > 400);
  BOOST_TEST(worst <= 3);
}

BOOST_AUTO_TEST_CASE(gives_messages_and_ticks_as_they_come) {
  pal::virtual_clock clock;
  std::string seen;
  run_quietly(clock, [&]() -> task<> {
    auto ends = mpsc<char>(4);
    auto send_slowly = [](sender<char> out) -> task<> {
      co_await sleep_for(500ms);
      co_await out.send('a');
      co_await sleep_for(2s);
      co_await out.send('b');
    };
    spawn(send_slowly, std::move(ends.tx)).detach();
    auto items = merge(ends.rx, interval{1s});
    for (;;) {
      auto item = co_await items.next();
      if (auto* message = std::get_if<0>(&item)) seen += *message;
      if (item.index() == 1) seen += '.';
      if (item.index() == 2) break;
    }
  });
  BOOST_TEST(seen == "a..b");
}

BOOST_AUTO_TEST_CASE(ends_with_the_channel_and_stays_ended) {
  pal::virtual_clock clock;
  run_quietly(clock, [&]() -> task<> {
    auto ends = mpsc<int>(1);
    (void)ends.tx.try_send(1);
    {
      auto last = std::move(ends.tx);
    }
    auto items = merge(ends.rx, interval{1s});
    BOOST_TEST((co_await items.next()).index() == 0u);
    BOOST_TEST((co_await items.next()).index() == 2u);
    BOOST_TEST((co_await items.next()).index() == 2u);
    co_await sleep_for(10s);  // The ticks that would have been due meanwhile are not seen any more.
    for (int i = 0; i < 4; ++i) BOOST_TEST((co_await items.next()).index() == 2u);
  });
}

BOOST_AUTO_TEST_CASE(a_wait_that_times_out_takes_neither_message_nor_tick) {
  pal::virtual_clock clock;
  run_quietly(clock, [&]() -> task<> {
    auto ends = mpsc<int>(1);
    auto items = merge(ends.rx, interval{1s});
    auto early = co_await timeout(300ms, items.next()).as_result();
    BOOST_TEST((early.has_error() && early.error() == make_error_code(errc::timed_out)));
    time_point before = now();
    auto item = co_await items.next();
    BOOST_TEST(item.index() == 1u);
    BOOST_CHECK(now() - before < 701ms);  // The period had begun with the first wait.
    (void)ends.tx.try_send(5);
    auto message = co_await items.next();
    BOOST_TEST(std::get<0>(message) == 5);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
