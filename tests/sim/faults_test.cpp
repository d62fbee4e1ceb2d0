#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <troupe/actor/supervisor.hpp>
#include <troupe/sched/block_on.hpp>
#include <troupe/sched/random.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/spawn_blocking.hpp>
#include <troupe/sim/world.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <captured_log.hpp>
#include <collected_failures.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

struct add {
  using reply = int;
  int amount;
};

class counter : public actor {
public:
  explicit counter(int& starts) { ++starts; }
  int on(add more) { return sum_ += more.amount; }

private:
  int sum_ = 0;
};

// Tells of its end.
struct witness {
  explicit witness(int& ends) : ends_{&ends} {}
  witness(const witness&) = delete;
  ~witness() { ++*ends_; }
  int* ends_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(faults_)

BOOST_AUTO_TEST_CASE(a_killed_node_runs_nothing_more_and_can_be_restarted) {
  int begun = 0, ticks = 0, ended = 0;
  sim::world world{1};
  sim::node& server = world.add_node("server");
  server.start([&]() -> task<> {
    ++begun;
    witness here{ended};
    for (;;) {
      co_await sleep_for(1s);
      ++ticks;
    }
  });
  world.advance(3s);
  BOOST_TEST(ticks == 3);
  server.kill();
  BOOST_TEST(!server.is_up());
  BOOST_TEST(ended == 1);
  world.advance(10s);
  BOOST_TEST(ticks == 3);
  BOOST_TEST(!server.exit_code());
  server.restart();
  world.advance(2s);
  BOOST_TEST(begun == 2);
  BOOST_TEST(ticks == 5);
}

// Goal:   a failure that somebody would have awaited is not told of when that one is killed.
BOOST_AUTO_TEST_CASE(a_killed_node_tells_of_no_failure) {
  test::collected_failures failures;
  sim::world world{1};
  sim::node& server = world.add_node("server");
  auto fail = [](std::string text) -> task<> {
    co_await yield();
    throw std::runtime_error{text};
  };
  auto await_later = [&](std::string text) {
    return [&fail, text]() -> task<> {
      auto failing = spawn(fail, text);
      co_await sleep_for(1s);
      BOOST_TEST(failing.done());
      co_await sleep_for(1s);
      failing.detach();
      co_await sleep_for(1s);
    };
  };
  server.start(await_later("of the killed"));
  world.advance(1500ms);
  server.kill();
  server.start(await_later("of the other"));
  world.advance(2500ms);
  BOOST_TEST(failures.texts() == std::vector<std::string>{"of the other"});
}

BOOST_AUTO_TEST_CASE(a_node_that_a_task_kills_ends_after_that_turn) {
  sim::world world{1};
  sim::node& a = world.add_node("a");
  sim::node& b = world.add_node("b");
  bool went_on = false;
  a.start([&]() -> task<> {
    a.kill();
    b.kill();
    BOOST_TEST(a.is_up());
    co_await yield();
    co_await sleep_for(1s);
    went_on = true;
  });
  world.run();
  BOOST_TEST(!a.is_up());
  BOOST_TEST(!b.is_up());
  BOOST_TEST(!went_on);
}

BOOST_AUTO_TEST_CASE(a_crashed_actor_is_restarted_by_its_supervisor) {
  sim::world world{1};
  sim::node& a = world.add_node("a");
  int starts = 0, sum = 0;
  std::optional<ref<counter>> child;
  auto holds = a.block_on([&]() -> task<ref<supervisor>> {
    auto above = spawn<supervisor>();
    child = spawn_child<counter>(above, std::ref(starts));
    sum = co_await child->ask(add{5});
    co_return above;
  });
  BOOST_TEST(sum == 5);
  BOOST_TEST(world.crash(*child));
  world.advance(1s);
  BOOST_TEST(starts == 2);
  BOOST_TEST(a.block_on([&]() -> task<int> { co_return co_await child->ask(add{1}); }) == 1);
}

BOOST_AUTO_TEST_CASE(some_actor_is_crashed_and_none_where_there_is_none) {
  test::collected_failures failures;
  sim::world world{1};
  sim::node& a = world.add_node("a");
  BOOST_TEST(!world.crash_one_actor());
  int starts = 0;
  auto held = a.block_on([&]() -> task<ref<counter>> { co_return spawn<counter>(starts); });
  BOOST_TEST(world.crash_one_actor());
  world.run();
  BOOST_TEST(held.has_ended());
}

BOOST_AUTO_TEST_CASE(blocking_work_runs_while_no_task_does_and_sees_the_worlds_time) {
  sim::world world{1};
  sim::node& a = world.add_node("a");
  volatile bool in_task = false;
  time_point seen{};
  int got = a.block_on([&]() -> task<int> {
    co_await sleep_for(5s);
    auto number = spawn_blocking([&] {
      BOOST_TEST(!in_task);
      seen = now();
      return 3;
    });
    for (int i = 0; i < 20; ++i) {
      in_task = true;
      for (int n = 0; n < 10'000; ++n) in_task = !in_task;
      in_task = false;
      co_await yield();
    }
    co_return co_await number;
  });
  BOOST_TEST(got == 3);
  BOOST_TEST((seen.time_since_epoch() == world.now()));
}

BOOST_AUTO_TEST_CASE(blocking_work_may_wait_for_a_task) {
  sim::world world{1};
  sim::node& a = world.add_node("a");
  int got = a.block_on([]() -> task<int> {
    scheduler& here = *scheduler::current();
    co_return co_await spawn_blocking([&here] {
      return block_on(here, []() -> task<int> {
        co_await sleep_for(1h);
        co_return 4;
      });
    });
  });
  BOOST_TEST(got == 4);
  BOOST_TEST((world.now() >= 1h));
}

BOOST_AUTO_TEST_CASE(blocking_work_of_a_killed_node_is_unwound_where_it_waits) {
  int ended = 0;
  bool went_on = false;
  sim::world world{1};
  sim::node& a = world.add_node("a");
  auto held = a.spawn([&]() -> task<> {
    scheduler& here = *scheduler::current();
    co_await spawn_blocking([&, &here = here] {
      witness frame{ended};
      block_on(here, []() -> task<> { co_await sleep_for(24h * 365); });
      went_on = true;
    });
  });
  world.advance(1s);
  BOOST_TEST(ended == 0);
  a.kill();
  BOOST_TEST(ended == 1);
  BOOST_TEST(!went_on);
}

BOOST_AUTO_TEST_CASE(random_numbers_of_a_node_are_those_of_the_seed) {
  auto numbers = [](std::uint64_t seed) {
    sim::world world{seed};
    return world.add_node("a").block_on([]() -> task<std::uint64_t> { co_return random_number(); });
  };
  BOOST_TEST(numbers(1) == numbers(1));
  BOOST_TEST(numbers(1) != numbers(2));
}

BOOST_AUTO_TEST_CASE(memory_that_is_refused_is_an_exception_and_not_for_long) {
  sim::world world{1};
  sim::node& a = world.add_node("a");
  int made = 0, refused = 0;
  auto try_often = [&]() -> task<> {
    for (int i = 0; i < 200; ++i) {
      try {
        // Too large for a task's cell: it has memory of its own, which no compiler can leave out.
        auto held = spawn([large = std::array<char, 100>{}] { return large.size(); });
        co_await held;
        ++made;
      } catch (const std::bad_alloc&) {
        ++refused;
      }
    }
  };
  world.fail_allocations(3);
  auto held = a.spawn(try_often);
  for (int i = 0; i < 1000 && made + refused < 200; ++i) world.advance(1s);
  BOOST_TEST(made > 0);
  BOOST_TEST(refused > 0);
  BOOST_TEST(world.failed_allocations() >= static_cast<std::uint64_t>(refused));
  world.fail_allocations(0);
  made = refused = 0;
  a.block_on(try_often);
  BOOST_TEST(made == 200);
  BOOST_TEST(refused == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
