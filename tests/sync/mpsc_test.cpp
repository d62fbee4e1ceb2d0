#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <manual_executor.hpp>
#include <threads.hpp>
#include <thrown_misuse.hpp>

namespace troupe {

namespace {

using test::manual_executor;

// Sends `count` numbers from `first` on, and notes how many are gone.
task<> send_numbers(sender<int> out, int first, int count, int& sent) {
  for (int i = 0; i < count; ++i) {
    co_await out.send(first + i);
    ++sent;
  }
}

task<> receive_all(receiver<int>& in, std::vector<int>& got) {
  while (auto n = co_await in.recv()) got.push_back(*n);
}

std::vector<int> left_in(receiver<int>& in) {
  std::vector<int> got;
  while (auto n = in.try_recv()) got.push_back(*n);
  return got;
}

template <class T>
boost::system::error_code error_of(const result<T>& outcome) {
  return outcome.has_error() ? outcome.error() : boost::system::error_code{};
}

const boost::system::error_code closed = errc::closed, full = errc::full, nothing = errc::empty;

}  // namespace

BOOST_AUTO_TEST_SUITE(mpsc_)

// Goal:   messages of one sender arrive in the order of sending, whoever else sends.
BOOST_AUTO_TEST_CASE(order_fifo) {
  manual_executor exec;
  auto ends = mpsc<int>(3);
  std::vector<int> got;
  int sent = 0;
  for (int s = 0; s < 4; ++s) {
    spawn(&send_numbers, ends.tx, s * 100, 50, std::ref(sent)).detach();
  }
  {
    auto last = std::move(ends.tx);
  }
  spawn(&receive_all, std::ref(ends.rx), std::ref(got)).detach();
  exec.run_all();
  BOOST_TEST(got.size() == 200u);
  std::array<int, 4> next{0, 100, 200, 300};
  int out_of_order = 0;
  for (int n : got) out_of_order += n == next[static_cast<std::size_t>(n / 100)]++ ? 0 : 1;
  BOOST_TEST(out_of_order == 0);
}

BOOST_AUTO_TEST_CASE(mailbox_bounded_a_sender_waits_exactly_when_the_channel_is_full) {
  for (int capacity : {1, 2, 5}) {
    manual_executor exec;
    auto ends = mpsc<int>(static_cast<std::uint32_t>(capacity));
    int sent = 0;
    spawn(&send_numbers, ends.tx, 0, 10, std::ref(sent)).detach();
    exec.run_all();
    BOOST_TEST(sent == capacity);
    for (int taken = 1; taken <= 10; ++taken) {
      BOOST_TEST(ends.rx.try_recv().value() == taken - 1);
      exec.run_all();
      BOOST_TEST(sent == std::min(capacity + taken, 10));
    }
  }
}

BOOST_AUTO_TEST_CASE(try_send_leaves_its_argument_untouched_when_full_or_closed) {
  manual_executor exec;
  auto ends = mpsc<std::unique_ptr<int>>(1);
  auto first = std::make_unique<int>(1), second = std::make_unique<int>(2);
  BOOST_TEST(ends.tx.try_send(std::move(first)).has_value());
  BOOST_TEST(first == nullptr);
  BOOST_TEST(error_of(ends.tx.try_send(std::move(second))) == full);
  BOOST_TEST_REQUIRE(second != nullptr);
  ends.rx.close();
  BOOST_TEST(error_of(ends.tx.try_send(std::move(second))) == closed);
  BOOST_TEST_REQUIRE(second != nullptr);
  BOOST_TEST(*second == 2);
  BOOST_TEST(**ends.rx.try_recv() == 1);
}

BOOST_AUTO_TEST_CASE(try_recv_tells_empty_from_closed) {
  manual_executor exec;
  auto ends = mpsc<int>(2);
  BOOST_TEST(error_of(ends.rx.try_recv()) == nothing);
  BOOST_TEST(ends.tx.try_send(1).has_value());
  ends.rx.close();
  BOOST_TEST(ends.rx.try_recv().value() == 1);
  BOOST_TEST(error_of(ends.rx.try_recv()) == closed);
}

BOOST_AUTO_TEST_CASE(a_permit_sends_without_waiting) {
  manual_executor exec;
  auto ends = mpsc<int>(1);
  spawn([&]() -> task<> {
    auto permit = co_await ends.tx.reserve();
    BOOST_TEST(error_of(ends.tx.try_send(9)) == full);
    std::move(permit).send(1);
    BOOST_TEST((co_await ends.rx.recv()).value() == 1);
  }).detach();
  exec.run_all();
}

BOOST_AUTO_TEST_CASE(a_dropped_permit_gives_its_room_to_a_waiting_sender) {
  manual_executor exec;
  auto ends = mpsc<int>(1);
  int sent = 0;
  std::optional<sender<int>::permit> permit;
  spawn([&]() -> task<> { permit.emplace(co_await ends.tx.reserve()); }).detach();
  exec.run_all();
  spawn(&send_numbers, ends.tx, 5, 1, std::ref(sent)).detach();
  exec.run_all();
  BOOST_TEST(sent == 0);
  permit.reset();
  exec.run_all();
  BOOST_TEST(sent == 1);
  BOOST_TEST(ends.rx.try_recv().value() == 5);
}

BOOST_AUTO_TEST_CASE(a_permit_taken_before_close_is_honoured_and_the_end_waits_for_it) {
  manual_executor exec;
  auto ends = mpsc<int>(2);
  std::vector<int> got;
  std::optional<sender<int>::permit> used, dropped;
  spawn([&]() -> task<> {
    used.emplace(co_await ends.tx.reserve());
    dropped.emplace(co_await ends.tx.reserve());
  }).detach();
  exec.run_all();
  ends.rx.close();
  auto receiving = spawn(&receive_all, std::ref(ends.rx), std::ref(got));
  exec.run_all();
  BOOST_TEST(!receiving.done());
  std::move(*used).send(7);
  exec.run_all();
  BOOST_TEST(got == std::vector{7});
  BOOST_TEST(!receiving.done());
  dropped.reset();
  exec.run_all();
  BOOST_TEST(receiving.done());
}

BOOST_AUTO_TEST_CASE(a_permit_used_after_the_receiver_has_gone_destroys_its_message) {
  manual_executor exec;
  auto owned = std::make_shared<int>(1);
  {
    auto ends = mpsc<std::shared_ptr<int>>(1);
    std::optional<sender<std::shared_ptr<int>>::permit> permit;
    spawn([&]() -> task<> { permit.emplace(co_await ends.tx.reserve()); }).detach();
    exec.run_all();
    {
      auto gone = std::move(ends.rx);
    }
    std::move(*permit).send(owned);
  }
  BOOST_TEST(owned.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(recv_many_takes_what_is_there_up_to_its_limit) {
  manual_executor exec;
  auto ends = mpsc<int>(16);
  std::vector<int> got{-1};
  std::vector<std::size_t> counts;
  auto receiving = spawn([&]() -> task<> {
    for (;;) {
      std::size_t count = co_await ends.rx.recv_many(got, 4);
      counts.push_back(count);
      if (count == 0) break;
    }
  });
  exec.run_all();
  BOOST_TEST(counts.empty());  // It waits for the first.
  for (int i = 0; i < 6; ++i) BOOST_TEST(ends.tx.try_send(i).has_value());
  exec.run_all();
  BOOST_TEST(counts == (std::vector<std::size_t>{4, 2}));
  BOOST_TEST(got == (std::vector{-1, 0, 1, 2, 3, 4, 5}));
  ends.rx.close();
  exec.run_all();
  BOOST_TEST(counts.back() == 0u);
  BOOST_TEST(receiving.done());
}

BOOST_AUTO_TEST_CASE(close_refuses_new_messages_and_delivers_what_was_sent) {
  manual_executor exec;
  auto ends = mpsc<int>(4);
  BOOST_TEST(ends.tx.try_send(1).has_value());
  BOOST_TEST(ends.tx.try_send(2).has_value());
  BOOST_TEST(!ends.tx.closed());
  ends.rx.close();
  BOOST_TEST(ends.tx.closed());
  spawn([&]() -> task<> {
    auto refused = co_await ends.tx.send(3).as_result();
    BOOST_TEST(error_of(refused) == closed);
    auto no_permit = co_await ends.tx.reserve().as_result();
    BOOST_TEST((no_permit.error() == closed));
    BOOST_TEST((co_await ends.rx.recv()).value() == 1);
    BOOST_TEST((co_await ends.rx.recv()).value() == 2);
    BOOST_TEST(!(co_await ends.rx.recv()).has_value());
    BOOST_TEST(!(co_await ends.rx.recv()).has_value());  // And so it stays.
  }).detach();
  exec.run_all();
}

// Goal:   when the last sender is gone the receiver gets what is left, then the end; not before.
BOOST_AUTO_TEST_CASE(life_unreachable_channel) {
  manual_executor exec;
  auto ends = mpsc<int>(8);
  std::optional<sender<int>> first{std::move(ends.tx)}, second{*first};
  std::vector<int> got;
  auto receiving = spawn(&receive_all, std::ref(ends.rx), std::ref(got));
  exec.run_all();
  first.reset();
  exec.run_all();
  BOOST_TEST(!receiving.done());
  BOOST_TEST(second->try_send(1).has_value());
  BOOST_TEST(second->try_send(2).has_value());
  second.reset();
  exec.run_all();
  BOOST_TEST(got == (std::vector{1, 2}));
  BOOST_TEST(receiving.done());
}

BOOST_AUTO_TEST_CASE(parked_senders_are_all_woken_when_the_receiver_goes_and_keep_their_values) {
  manual_executor exec;
  auto ends = mpsc<std::unique_ptr<int>>(1);
  BOOST_TEST(ends.tx.try_send(std::make_unique<int>(0)).has_value());
  int kept = 0;
  auto send_one = [&kept](sender<std::unique_ptr<int>> out, int n) -> task<> {
    auto sending = out.send(std::make_unique<int>(n));
    try {
      co_await sending;
    } catch (const system_error& error) {
      BOOST_TEST(error.code() == closed);
      BOOST_TEST(*sending.value() == n);
      ++kept;
    }
  };
  for (int i = 0; i < 70; ++i)
    spawn(send_one, ends.tx, i).detach();  // More than one batch of wakes.
  exec.run_all();
  BOOST_TEST(exec.live() == 70u);
  {
    auto gone = std::move(ends.rx);
  }
  exec.run_all();
  BOOST_TEST(kept == 70);
}

BOOST_AUTO_TEST_CASE(messages_not_received_are_destroyed_with_the_receiver) {
  manual_executor exec;
  auto owned = std::make_shared<int>(1);
  auto ends = mpsc<std::shared_ptr<int>>(8);
  for (int i = 0; i < 5; ++i) BOOST_TEST(ends.tx.try_send(owned).has_value());
  BOOST_TEST(ends.rx.try_recv().has_value());
  {
    auto gone = std::move(ends.rx);
  }
  BOOST_TEST(owned.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(cancel_safe_send) {
  manual_executor exec;
  auto ends = mpsc<std::string>(1);
  BOOST_TEST(ends.tx.try_send("first").has_value());
  std::string kept;
  auto sending = spawn([&]() -> task<> {
    auto waiting = ends.tx.send(std::string{"second"});
    try {
      co_await waiting;
    } catch (const canceled&) {
      kept = waiting.value();
    }
  });
  exec.run_all();
  sending.request_stop();
  exec.run_all();
  BOOST_TEST(kept == "second");
  BOOST_TEST(ends.rx.try_recv().value() == "first");
  BOOST_TEST(error_of(ends.rx.try_recv()) == nothing);
}

BOOST_AUTO_TEST_CASE(cancel_safe_recv) {
  manual_executor exec;
  auto ends = mpsc<int>(2);
  auto receiving = spawn([&]() -> task<> { (void)co_await ends.rx.recv(); });
  exec.run_all();
  // Stopped first, then sent to, before it has run: the message stays.
  receiving.request_stop();
  BOOST_TEST(ends.tx.try_send(1).has_value());
  exec.run_all();
  BOOST_TEST(receiving.done());
  std::vector<int> got = left_in(ends.rx);
  // A message that was there in time may be received; then the task has ended with it.
  BOOST_TEST(got.size() <= 1u);

  auto stopped = spawn([&]() -> task<> { (void)co_await ends.rx.recv(); });
  stopped.request_stop();
  BOOST_TEST(ends.tx.try_send(2).has_value());
  exec.run_all();
  BOOST_TEST(left_in(ends.rx) == std::vector{2});  // It was stopped before it had begun to wait.
}

BOOST_AUTO_TEST_CASE(cancel_safe_recv_that_loses_a_select_has_taken_nothing) {
  manual_executor exec;
  auto ends = mpsc<int>(2);
  event other;
  std::size_t winner = 9;
  spawn([&]() -> task<> {
    auto first = co_await select(ends.rx.recv(), other.wait());
    winner = first.index();
  }).detach();
  exec.run_all();
  other.set();
  exec.run_all();
  BOOST_TEST(winner == 1u);
  BOOST_TEST(ends.tx.try_send(1).has_value());
  BOOST_TEST(left_in(ends.rx) == std::vector{1});
}

BOOST_AUTO_TEST_CASE(cancel_safe_reserve) {
  manual_executor exec;
  auto ends = mpsc<int>(1);
  BOOST_TEST(ends.tx.try_send(1).has_value());
  auto reserving = spawn([&]() -> task<> { auto permit = co_await ends.tx.reserve(); });
  exec.run_all();
  reserving.request_stop();
  exec.run_all();
  BOOST_TEST(reserving.done());
  BOOST_TEST(ends.rx.try_recv().value() == 1);
  BOOST_TEST(ends.tx.try_send(2).has_value());  // The room was not kept.
}

// Goal:   a reserve that is left with a wake in hand, and holds the last end of its channel, hands
// the
//         wake on before the channel goes.
// Method: the wake and the other branch come in the same moment, twice, since the first look
// rotates.
BOOST_AUTO_TEST_CASE(a_woken_reserve_may_hold_the_last_end) {
  for (int i = 0; i < 4; ++i) {
    manual_executor exec;
    auto ends = std::make_unique<channel_ends<int>>(mpsc<int>(1));
    BOOST_TEST(ends->tx.try_send(0).has_value());
    event other;
    bool over = false;
    spawn([&]() -> task<> {
      auto reserving = sender<int>{ends->tx}.reserve();
      try {
        co_await select(other.wait(), std::move(reserving));
      } catch (const system_error& error) {
        BOOST_TEST(error.code() == closed);
      }
      over = true;
    }).detach();
    exec.run_all();
    BOOST_TEST(ends->rx.try_recv().value() == 0);
    BOOST_TEST(error_of(ends->rx.try_recv()) == nothing);
    other.set();
    ends.reset();
    exec.run_all();
    BOOST_TEST(over);
  }
}

// Goal:   room that wakes a sender which does not use it any more goes to the next one.
// Method: the oldest waiting sender is in a select, whose other branch becomes ready together with
//         the room, and is stopped, in all orders of the two; a second sender waits behind it.
BOOST_AUTO_TEST_CASE(a_woken_sender_that_loses_its_select_passes_the_wake_on) {
  for (bool set_first : {true, false}) {
    manual_executor exec;
    auto ends = mpsc<int>(1);
    BOOST_TEST(ends.tx.try_send(0).has_value());
    event other;
    int sent = 0;
    std::size_t winner = 9;
    spawn([&]() -> task<> {
      auto first = co_await select(other.wait(), ends.tx.send(1));
      winner = first.index();
    }).detach();
    exec.run_all();
    spawn(&send_numbers, ends.tx, 2, 1, std::ref(sent)).detach();
    exec.run_all();
    if (set_first) other.set();
    BOOST_TEST(ends.rx.try_recv().value() == 0);
    if (!set_first) other.set();
    exec.run_all();
    std::vector<int> got;
    while (auto n = ends.rx.try_recv()) {
      got.push_back(*n);
      exec.run_all();
    }
    BOOST_TEST(sent == 1);
    BOOST_TEST(got == (winner == 1 ? std::vector{1, 2} : std::vector{2}));
  }
}

BOOST_AUTO_TEST_CASE(a_woken_sender_that_is_stopped_passes_the_wake_on) {
  manual_executor exec;
  auto ends = mpsc<int>(1);
  BOOST_TEST(ends.tx.try_send(0).has_value());
  int first_sent = 0, second_sent = 0;
  auto first = spawn(&send_numbers, ends.tx, 1, 1, std::ref(first_sent));
  exec.run_all();
  spawn(&send_numbers, ends.tx, 2, 1, std::ref(second_sent)).detach();
  exec.run_all();
  first.request_stop();
  BOOST_TEST(ends.rx.try_recv().value() == 0);
  exec.run_all();
  std::size_t received = 0;
  while (ends.rx.try_recv().has_value()) {
    ++received;
    exec.run_all();
  }
  BOOST_TEST(second_sent == 1);
  BOOST_TEST(received == static_cast<std::size_t>(first_sent + second_sent));
}

BOOST_AUTO_TEST_CASE(an_unbounded_channel_is_never_full) {
  manual_executor exec;
  auto ends = mpsc_unbounded<int>();
  for (int i = 0; i < 100'000; ++i) BOOST_REQUIRE(ends.tx.try_send(i).has_value());
  BOOST_TEST(left_in(ends.rx).size() == 100'000u);
}

BOOST_AUTO_TEST_CASE(a_capacity_out_of_range_is_a_misuse) {
  for (std::uint32_t bad : {0u, 65'536u}) {
    auto text = test::misuse_of([bad] { (void)mpsc<int>(bad); });
    BOOST_TEST(text.find("from 1 to 65535") != std::string::npos);
  }
  auto ends = mpsc<int>(65'535);
  BOOST_TEST(ends.tx.try_send(1).has_value());
}

BOOST_AUTO_TEST_CASE(an_end_that_was_moved_from_is_a_misuse) {
  auto ends = mpsc<int>(1);
  auto tx = std::move(ends.tx);
  auto rx = std::move(ends.rx);
  BOOST_TEST(test::misuse_of([&] { (void)ends.tx.try_send(1); }) != "");
  BOOST_TEST(test::misuse_of([&] { (void)ends.rx.try_recv(); }) != "");
}

// Goal:   under real concurrency nothing is lost, repeated or reordered.
// Method: four producers and one receiver on two workers, with little room.
BOOST_AUTO_TEST_CASE(four_producers_on_two_workers_lose_nothing) {
  const int each = static_cast<int>(test::rounds(50'000));
  for (std::uint32_t capacity : {1u, 16u}) {
    runtime_config config;
    config.workers = 2;
    runtime rt{config};
    auto ends = mpsc<int>(capacity);
    std::array<int, 4> sent{};
    std::array<int, 4> next{};
    int out_of_order = 0, received = 0;
    for (int s = 0; s < 4; ++s) {
      rt.spawn(&send_numbers, ends.tx, s * 1'000'000, each,
               std::ref(sent[static_cast<std::size_t>(s)]))
          .detach();
    }
    {
      auto last = std::move(ends.tx);
    }
    rt.block_on([&]() -> task<> {
      while (auto n = co_await ends.rx.recv()) {
        auto from = static_cast<std::size_t>(*n / 1'000'000);
        out_of_order += *n % 1'000'000 == next[from]++ ? 0 : 1;
        ++received;
      }
    });
    BOOST_TEST(rt.shut_down(std::chrono::hours{1}).empty());
    BOOST_TEST(out_of_order == 0);
    BOOST_TEST(received == 4 * each);
    for (int count : sent) BOOST_TEST(count == each);
  }
}

BOOST_AUTO_TEST_CASE(foreign_threads_may_send) {
  const int each = static_cast<int>(test::rounds(20'000));
  runtime_config config;
  config.workers = 1;
  runtime rt{config};
  auto ends = mpsc<int>(64);
  auto receiving = rt.spawn([&]() -> task<int> {
    int count = 0;
    while (co_await ends.rx.recv()) ++count;
    co_return count;
  });
  test::race(2, [&, tx = ends.tx](std::size_t) {
    auto mine = tx;
    for (int i = 0; i < each; ++i) {
      while (!mine.try_send(i).has_value()) std::this_thread::yield();
    }
  });
  {
    auto last = std::move(ends.tx);
  }
  int count = rt.block_on([&]() -> task<int> { co_return co_await receiving; });
  BOOST_TEST(count == 2 * each);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
