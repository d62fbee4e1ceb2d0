#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sim/world.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/yield.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

struct add {
  int amount;
};
struct total {};

class counter : public actor {
public:
  int on(add more) { return sum_ += more.amount; }
  int on(total) const { return sum_; }

private:
  int sum_ = 0;
};

// Tasks, timers, a channel and an actor: whose turn is when is the seed's choice.
task<int> busy_program() {
  auto sum = spawn<counter>();
  auto [tx, rx] = mpsc<int>(4);
  auto sending = spawn([to = std::move(tx)]() mutable -> task<> {
    for (int i = 0; i < 20; ++i) {
      co_await to.send(i);
      if (i % 5 == 0) co_await sleep_for(3ms);
    }
  });
  std::vector<join_handle<void>> adders;
  for (int i = 0; i < 5; ++i) {
    adders.push_back(spawn([sum, i]() -> task<> {
      for (int n = 0; n < 10; ++n) {
        co_await sum.ask(add{i});
        co_await yield();
      }
    }));
  }
  while (auto got = co_await rx.recv()) co_await sum.send(add{*got});
  for (auto& each : adders) co_await each;
  int result = co_await sum.ask(total{});
  co_return result;
}

std::uint64_t hash_of_run(std::uint64_t seed) {
  sim::world world{seed};
  sim::node& a = world.add_node("a");
  sim::node& b = world.add_node("b");
  a.start(busy_program);
  b.start(busy_program);
  world.run();
  BOOST_TEST((a.exit_code() == 100 + 190));
  BOOST_TEST((b.exit_code() == 100 + 190));
  BOOST_TEST(world.steps() > 100u);
  return world.trace_hash();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(world_)

BOOST_AUTO_TEST_CASE(one_seed_gives_one_history_and_others_give_others) {
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::uint64_t hash = hash_of_run(seed);
    BOOST_TEST(hash_of_run(seed) == hash);
    hashes.insert(hash);
  }
  BOOST_TEST(hashes.size() == 20u);
}

BOOST_AUTO_TEST_CASE(time_moves_when_nothing_is_ready_and_by_as_much_as_asked) {
  sim::world world{1};
  sim::node& a = world.add_node("a");
  int ticks = 0;
  auto held = a.spawn([&]() -> task<> {
    for (;;) {
      co_await sleep_for(1h);
      ++ticks;
    }
  });
  world.advance(30min);
  BOOST_TEST((world.now() == 30min));
  BOOST_TEST(ticks == 0);
  world.advance(10h);
  BOOST_TEST((world.now() == 10h + 30min));
  BOOST_TEST(ticks == 10);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
