#include <chrono>
#include <cstddef>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
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
  static_assert(sizeof(detail::actor_block) == 128);
  rt.block_on([]() -> task<> {
    auto large = spawn<tally>(actor_options{.capacity = 65535});
    for (int i = 0; i < 60000; ++i) BOOST_REQUIRE(large.try_send(count_up{}).has_value());
    BOOST_TEST((co_await large.ask(total{})) == 60000);
    BOOST_TEST(large.block().extension_if_any() == nullptr);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
