#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/supervisor.hpp>
#include <troupe/actor/undelivered.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/yield.hpp>

#include <sched/two_workers.hpp>
#include <sched/virtual_worker.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

struct count_up {};
struct count_slowly {};
struct total {};
struct wait_for {
  event* until;
};

// Counts in plain memory, in handlers that change threads on the way, and in side tasks.
class tally : public actor {
public:
  void on(count_up) { ++sum_; }
  task<> on(count_slowly) {
    self().spawn([this]() -> task<> {
      int seen = sum_;
      sum_ = seen + 1;
      co_await yield();
      ++sum_;
    });
    ++sum_;
    co_await yield();
    ++sum_;
  }
  int on(total) const { return sum_; }

private:
  int sum_ = 0;
};

class one_at_a_time : public actor {
public:
  task<int> on(wait_for m) {
    ++inside_;
    co_await m.until->wait();
    --inside_;
    co_return inside_;
  }
  int on(total) const { return inside_; }

private:
  int inside_ = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(promises_of_actors_, test::two_workers)

// Goal:   what one turn has written, the next one reads, on whatever thread: under TSan no race.
BOOST_AUTO_TEST_CASE(order_memory) {
  rt.block_on([]() -> task<> {
    constexpr int senders = 4, rounds = 200;
    auto t = spawn<tally>();
    std::vector<join_handle<void>> running;
    for (int i = 0; i < senders; ++i) {
      running.push_back(spawn([t]() -> task<> {
        for (int round = 0; round < rounds; ++round) {
          co_await t.send(count_up{});
          co_await t.send(count_slowly{});
          co_await yield();
        }
      }));
    }
    for (auto& each : running) co_await each;
    constexpr int wanted = senders * rounds * 5;
    while (co_await t.ask(total{}) != wanted) co_await yield();  // The last side tasks.
    BOOST_TEST((co_await t.ask(total{})) == wanted);
  });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(stopped_actors_)

namespace {

pal::atomic<std::uint64_t> lost{0};

struct entry {
  std::uint64_t number;
};
struct unanswered {};

struct book {
  std::vector<std::uint64_t> entries;
  std::uint64_t unanswered_count = 0;
};

class clerk : public actor {
public:
  explicit clerk(book& of) : book_{&of} {}
  bool on(entry m) {
    book_->entries.push_back(m.number);
    return true;
  }
  task<> on(unanswered) {
    co_await yield();
    ++book_->unanswered_count;
  }

private:
  book* book_;
};

struct client_count {
  std::vector<std::uint64_t> acked;
  std::uint64_t accepted = 0;
};

// Asks and sends until the clerk has ended; says when it has got going.
task<client_count> use_up(ref<clerk> to, std::uint64_t first, event* has_begun) {
  client_count count;
  for (std::uint64_t number = first;; ++number) {
    for (int i = 0; i < 3; ++i) {
      if (to.try_send(unanswered{})) ++count.accepted;
    }
    auto answer = co_await to.ask<entry>(number).as_result();
    if (!answer) co_return count;
    count.acked.push_back(number);
    if (count.acked.size() == 50) has_begun->set();
  }
}

// Goal:   whatever the load from another runtime, a graceful stop loses nothing that was answered,
//         and all other mail is accounted for: with `drain` it is run.
void stop_under_load(bool drain) {
  constexpr int clients = 4;
  lost.store(0);
  auto former = set_undelivered_sink([](const undelivered&) { lost.fetch_add(1); });
  book kept;
  std::vector<std::uint64_t> acked;
  std::uint64_t accepted = 0;
  {
    runtime outside{test::two_workers::config()}, served{test::two_workers::config()};
    ref<clerk> to = served.block_on([&]() -> task<ref<clerk>> {
      actor_options options;
      options.drain = drain;
      co_return spawn<clerk>(options, kept);
    });
    event begun[clients];
    std::vector<join_handle<client_count>> running;
    for (int i = 0; i < clients; ++i) {
      auto first = static_cast<std::uint64_t>(i) << 32;
      running.push_back(outside.spawn(&use_up, to, first, &begun[i]));
    }
    outside.block_on([&]() -> task<> {
      for (event& each : begun) co_await each.wait();
    });
    BOOST_TEST(served.shut_down(1h).empty());
    outside.block_on([&]() -> task<> {
      for (auto& each : running) {
        client_count one = co_await each;
        acked.insert(acked.end(), one.acked.begin(), one.acked.end());
        accepted += one.accepted;
      }
    });
  }
  set_undelivered_sink(former);
  std::sort(acked.begin(), acked.end());
  std::sort(kept.entries.begin(), kept.entries.end());
  BOOST_TEST(std::includes(kept.entries.begin(), kept.entries.end(), acked.begin(), acked.end()));
  BOOST_TEST(accepted == kept.unanswered_count + lost.load());
  if (drain) BOOST_TEST(lost.load() == 0u);
}

}  // namespace

BOOST_AUTO_TEST_CASE(stop_acked) { stop_under_load(false); }
BOOST_AUTO_TEST_CASE(stop_acked_with_drain) { stop_under_load(true); }

// A child drains when its supervisor ends it.
BOOST_AUTO_TEST_CASE(stop_acked_of_a_child) {
  book kept;
  test::virtual_worker one;
  one.rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>();
    child_options options;
    options.actor.drain = true;
    auto child = spawn_child<clerk>(root, options, std::ref(kept));
    co_await sleep_for(1us);  // It is its supervisor's then.
    for (int i = 0; i < 100; ++i) BOOST_REQUIRE(child.try_send(unanswered{}).has_value());
    root.stop();
    co_await root.ended();
    BOOST_TEST(kept.unanswered_count == 100u);
    BOOST_TEST(!child.try_send(unanswered{}).has_value());
  });
}

// While it drains a kill ends it as ever.
BOOST_AUTO_TEST_CASE(a_drain_is_broken_off_by_kill) {
  book kept;
  pal::atomic<std::uint64_t>& undone = lost;
  undone.store(0);
  auto former = set_undelivered_sink([](const undelivered&) { lost.fetch_add(1); });
  test::virtual_worker one;
  one.rt.block_on([&]() -> task<> {
    actor_options options;
    options.drain = true;
    auto a = spawn<clerk>(options, kept);
    for (int i = 0; i < 100; ++i) BOOST_REQUIRE(a.try_send(unanswered{}).has_value());
    a.stop();
    while (kept.unanswered_count < 10) co_await yield();
    a.kill();
    exit_reason why = co_await a.ended();
    BOOST_TEST((why.kind == exit_kind::killed));
  });
  set_undelivered_sink(former);
  BOOST_TEST(kept.unanswered_count < 100u);
  BOOST_TEST(kept.unanswered_count + undone.load() >= 99u);  // One was broken off.
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(promises_of_an_actor_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(ask_interleave) {
  rt.block_on([]() -> task<> {
    auto a = spawn<one_at_a_time>();
    event first, second;
    auto one = spawn([&]() -> task<int> { co_return co_await a.ask(wait_for{&first}); });
    auto two = spawn([&]() -> task<int> { co_return co_await a.ask(wait_for{&second}); });
    auto three = spawn([&]() -> task<int> { co_return co_await a.ask(total{}); });
    second.set();
    co_await sleep_for(1s);
    BOOST_TEST(!two.done());  // It waits behind the first, though nothing holds it up itself.
    BOOST_TEST(!three.done());
    first.set();
    BOOST_TEST((co_await one) == 0);
    BOOST_TEST((co_await two) == 0);
    BOOST_TEST((co_await three) == 0);
  });
}

// An actor has nothing but its block, whatever its capacity is: see also the bench work
// actor_memory, which measures it.
BOOST_AUTO_TEST_CASE(mailbox_idle) {
  static_assert(sizeof(detail::actor_block) <= 128);
  rt.block_on([]() -> task<> {
    auto large = spawn<tally>(actor_options{.capacity = 65535});
    for (int i = 0; i < 60000; ++i) BOOST_REQUIRE(large.try_send(count_up{}).has_value());
    BOOST_TEST((co_await large.ask(total{})) == 60000);
    BOOST_TEST(large.block().extension_if_any() == nullptr);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
