#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/broadcast.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <manual_executor.hpp>
#include <sched/two_workers.hpp>
#include <threads.hpp>
#include <thrown_misuse.hpp>

namespace troupe {

namespace {

using test::manual_executor;

// All that comes, as text: values, "missed N", "end".
task<> note_all(broadcast_receiver<int> from, std::string& heard) {
  while (auto got = co_await from.recv()) {
    if (auto* gap = std::get_if<lagged>(&*got)) {
      heard += "missed " + std::to_string(gap->count) + ' ';
    } else {
      heard += std::to_string(std::get<int>(*got)) + ' ';
    }
  }
  heard += "end";
}

template <class End>
void drop(End& end) {
  auto gone = std::move(end);
}

/// Counts its copies and its lives.
struct tracked {
  static inline int alive = 0, copies = 0;
  explicit tracked(int n) : number{n} { ++alive; }
  tracked(const tracked& other) : number{other.number} {
    ++alive;
    ++copies;
  }
  tracked(tracked&& other) noexcept : number{other.number} { ++alive; }
  ~tracked() { --alive; }
  int number;
};

task<> pass_one(broadcast_receiver<tracked>& from, int& number) {
  auto got = co_await from.recv();
  number = std::get<tracked>(*got).number;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(broadcast_)

BOOST_AUTO_TEST_CASE(every_receiver_gets_every_value_then_the_end) {
  manual_executor exec;
  auto ends = broadcast<int>(4);
  std::string first, second;
  spawn(&note_all, ends.tx.subscribe(), std::ref(first)).detach();
  spawn(&note_all, std::move(ends.rx), std::ref(second)).detach();
  exec.run_all();
  for (int i = 1; i <= 3; ++i) BOOST_TEST(ends.tx.send(i) == 2u);
  exec.run_all();
  BOOST_TEST(first == "1 2 3 ");  // The send has woken both.
  BOOST_TEST(second == "1 2 3 ");
  BOOST_TEST(ends.tx.send(4) == 2u);
  drop(ends.tx);
  exec.run_all();
  BOOST_TEST(first == "1 2 3 4 end");
  BOOST_TEST(second == "1 2 3 4 end");
}

BOOST_AUTO_TEST_CASE(a_slow_receiver_is_told_how_many_it_has_missed_and_goes_on_with_the_oldest) {
  manual_executor exec;
  auto ends = broadcast<int>(3);
  std::string heard;
  for (int i = 1; i <= 8; ++i) ends.tx.send(i);
  spawn(&note_all, std::move(ends.rx), std::ref(heard)).detach();
  exec.run_all();
  BOOST_TEST(heard == "missed 5 6 7 8 ");
  for (int i = 9; i <= 12; ++i) ends.tx.send(i);
  drop(ends.tx);
  exec.run_all();
  BOOST_TEST(heard == "missed 5 6 7 8 missed 1 10 11 12 end");
}

BOOST_AUTO_TEST_CASE(exactly_as_many_as_there_are_places_is_no_lag) {
  for (int capacity : {1, 2, 5}) {
    manual_executor exec;
    auto ends = broadcast<int>(static_cast<std::uint32_t>(capacity));
    std::string heard, expected;
    for (int i = 0; i < capacity; ++i) {
      ends.tx.send(i);
      expected += std::to_string(i) + ' ';
    }
    drop(ends.tx);
    spawn(&note_all, std::move(ends.rx), std::ref(heard)).detach();
    exec.run_all();
    BOOST_TEST(heard == expected + "end");
  }
}

BOOST_AUTO_TEST_CASE(a_subscriber_gets_what_is_sent_after_it_came) {
  manual_executor exec;
  auto ends = broadcast<int>(8);
  ends.tx.send(1);
  std::string late;
  spawn(&note_all, ends.tx.subscribe(), std::ref(late)).detach();
  ends.tx.send(2);
  drop(ends.tx);
  exec.run_all();
  BOOST_TEST(late == "2 end");
}

BOOST_AUTO_TEST_CASE(without_receivers_a_value_is_dropped_and_sent_to_nobody) {
  manual_executor exec;
  tracked::alive = tracked::copies = 0;
  auto ends = broadcast<tracked>(2);
  drop(ends.rx);
  BOOST_TEST(ends.tx.send(tracked{1}) == 0u);
  BOOST_TEST(tracked::alive == 0);
  auto again = ends.tx.subscribe();
  BOOST_TEST(ends.tx.send(tracked{2}) == 1u);
  BOOST_TEST(tracked::alive == 1);
}

BOOST_AUTO_TEST_CASE(a_value_ends_with_the_last_receiver_that_passes_it_which_gets_no_copy) {
  manual_executor exec;
  tracked::alive = tracked::copies = 0;
  auto ends = broadcast<tracked>(4);
  auto second = ends.tx.subscribe();
  ends.tx.send(tracked{7});
  int number = 0;
  spawn(&pass_one, std::ref(ends.rx), std::ref(number)).detach();
  exec.run_all();
  BOOST_TEST(number == 7);
  BOOST_TEST(tracked::alive == 1);
  BOOST_TEST(tracked::copies == 1);
  spawn(&pass_one, std::ref(second), std::ref(number)).detach();
  exec.run_all();
  BOOST_TEST(tracked::alive == 0);
  BOOST_TEST(tracked::copies == 1);
}

BOOST_AUTO_TEST_CASE(a_value_ends_when_it_is_overwritten_or_its_last_receiver_is_dropped) {
  manual_executor exec;
  tracked::alive = 0;
  auto ends = broadcast<tracked>(2);
  auto second = ends.tx.subscribe();
  for (int i = 1; i <= 5; ++i) {
    ends.tx.send(tracked{i});
    BOOST_TEST(tracked::alive == std::min(i, 2));
  }
  int number = 0;
  spawn([&]() -> task<> {
    auto gap = co_await second.recv();
    BOOST_TEST(std::get<lagged>(*gap).count == 3u);
    co_await pass_one(second, number);
  }).detach();
  exec.run_all();
  BOOST_TEST(number == 4);
  drop(ends.rx);  // 4 has been passed by the other one, 5 has not.
  BOOST_TEST(tracked::alive == 1);
  drop(second);
  BOOST_TEST(tracked::alive == 0);
  BOOST_TEST(ends.tx.send(tracked{6}) == 0u);
}

BOOST_AUTO_TEST_CASE(values_left_by_the_senders_end_with_the_channel) {
  manual_executor exec;
  tracked::alive = 0;
  {
    auto ends = broadcast<tracked>(2);
    auto second = ends.tx;
    ends.tx.send(tracked{1});
    drop(ends.tx);
    drop(second);
    BOOST_TEST(tracked::alive == 1);
  }
  BOOST_TEST(tracked::alive == 0);
}

BOOST_AUTO_TEST_CASE(a_copy_that_throws_ends_the_recv_and_counts_as_received) {
  struct fragile {
    fragile() = default;
    fragile(const fragile&) { throw std::runtime_error{"no copy"}; }
    fragile(fragile&&) noexcept {}
  };
  manual_executor exec;
  auto ends = broadcast<fragile>(2);
  auto second = ends.tx.subscribe();
  ends.tx.send(fragile{});
  drop(ends.tx);
  bool has_thrown = false, has_ended = false;
  spawn([&]() -> task<> {
    try {
      co_await second.recv();
    } catch (const std::runtime_error&) {
      has_thrown = true;
    }
    auto end = co_await second.recv();
    has_ended = !end.has_value();
  }).detach();
  exec.run_all();
  BOOST_TEST(has_thrown);
  BOOST_TEST(has_ended);
}

BOOST_AUTO_TEST_CASE(cancel_safe_a_lost_or_stopped_recv_has_taken_nothing) {
  manual_executor exec;
  auto ends = broadcast<int>(4);
  event other;
  std::string heard;
  std::size_t winner = 9;
  auto stopped = spawn(
      [](broadcast_receiver<int> mine) -> task<> {
        auto none = co_await mine.recv();
        BOOST_TEST(!none.has_value());
      },
      ends.tx.subscribe());
  spawn([&]() -> task<> {
    auto first = co_await select(ends.rx.recv(), other.wait());
    winner = first.index();
    co_await note_all(std::move(ends.rx), heard);
  }).detach();
  exec.run_all();
  stopped.request_stop();
  other.set();
  exec.run_all();
  BOOST_TEST(stopped.done());
  BOOST_TEST(winner == 1u);
  BOOST_TEST(ends.tx.send(1) == 1u);
  drop(ends.tx);
  exec.run_all();
  BOOST_TEST(heard == "1 end");
}

BOOST_AUTO_TEST_CASE(a_capacity_out_of_range_and_a_moved_end_are_misuses) {
  test::thrown_misuse refused;
  BOOST_CHECK_THROW((void)broadcast<int>(0), test::misused);
  BOOST_CHECK_THROW((void)broadcast<int>(65'536), test::misused);
  auto ends = broadcast<int>(1);
  auto tx = std::move(ends.tx);
  auto rx = std::move(ends.rx);
  BOOST_CHECK_THROW(ends.tx.send(1), test::misused);
  BOOST_CHECK_THROW((void)ends.rx.recv(), test::misused);
}

// Goal:   whatever the speeds, each receiver accounts for every value: got or missed, in order.
BOOST_AUTO_TEST_CASE(every_value_is_got_or_told_as_missed_across_two_workers_and_foreign_threads) {
  test::two_workers two;
  const std::size_t count = test::rounds(20'000);
  auto ends = broadcast<std::shared_ptr<std::size_t>>(8);
  pal::atomic<std::size_t> wrong{0};
  auto account = [&](broadcast_receiver<std::shared_ptr<std::size_t>> from,
                     std::size_t slowness) -> task<std::size_t> {
    std::size_t total = 0;
    std::vector<std::size_t> last(2, 0);
    while (auto got = co_await from.recv()) {
      if (auto* gap = std::get_if<lagged>(&*got)) {
        total += static_cast<std::size_t>(gap->count);
        continue;
      }
      ++total;
      std::size_t value = *std::get<0>(*got);
      std::size_t& before = last[value % 2];
      if (value <= before) wrong.fetch_add(1);
      before = value;
      for (std::size_t i = 0; i < slowness; ++i) co_await yield();
    }
    co_return total;
  };
  std::vector<join_handle<std::size_t>> accounts;
  for (std::size_t i = 0; i < 3; ++i) {
    accounts.push_back(two.rt.spawn(account, ends.tx.subscribe(), i));
  }
  drop(ends.rx);
  {
    std::vector<broadcast_sender<std::shared_ptr<std::size_t>>> senders{ends.tx, ends.tx};
    drop(ends.tx);
    test::race(2, [&](std::size_t i) {
      auto mine = std::move(senders[i]);
      for (std::size_t n = 1; n <= count; ++n) {
        mine.send(std::make_shared<std::size_t>(2 * n + i));
        if (n % 64 == 0) (void)mine.subscribe();  // Comes, and leaves at once.
      }
    });
  }
  two.rt.block_on([&]() -> task<> {
    for (auto& each : accounts) BOOST_TEST(co_await each == 2 * count);
  });
  BOOST_TEST(wrong.load() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
