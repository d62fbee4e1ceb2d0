#include <fmt/format.h>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sim/explore.hpp>
#include <troupe/sim/probe.hpp>
#include <troupe/sim/world.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/shield.hpp>
#include <troupe/task/yield.hpp>

#include <captured_log.hpp>

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

// The addresses of the two processes differ.
BOOST_AUTO_TEST_CASE(a_history_is_the_same_in_another_process) {
  std::string mine = fmt::format("hash {:016x}", hash_of_run(7));
  if (std::getenv("TROUPE_TEST_PRINTS_HASH") != nullptr) {
    fmt::print("{}\n", mine);
    return;
  }
  auto self = std::filesystem::read_symlink("/proc/self/exe").string();
  std::string command = fmt::format(
      "TROUPE_TEST_PRINTS_HASH=1 '{}' --run_test='world_/a_history_is_the_same*' 2>&1", self);
  std::unique_ptr<FILE, int (*)(FILE*)> other{::popen(command.c_str(), "r"), &::pclose};
  std::string text;
  for (int each = std::fgetc(other.get()); each != EOF; each = std::fgetc(other.get())) {
    text += static_cast<char>(each);
  }
  BOOST_TEST(text.find(mine) != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(a_turn_may_take_time_and_then_the_same_seed_takes_the_same) {
  auto end_of = [](std::uint64_t seed) {
    sim::world world{{.seed = seed, .max_turn_time = 100us}};
    sim::node& a = world.add_node("a");
    a.start(busy_program);
    world.run();
    BOOST_TEST((a.exit_code() == 100 + 190));
    return world.now();
  };
  BOOST_TEST((end_of(1) == end_of(1)));
  BOOST_TEST((end_of(1) != end_of(2)));
  BOOST_TEST((end_of(1) > 1ms));
}

BOOST_AUTO_TEST_CASE(an_invariant_is_looked_at_after_each_step) {
  sim::world world{5};
  sim::node& a = world.add_node("a");
  int number = 0;
  world.invariant("the number stays below 3", [&] { return number < 3; });
  auto held = a.spawn([&]() -> task<> {
    for (;;) {
      co_await sleep_for(1s);
      ++number;
    }
  });
  world.advance(2s);
  try {
    world.advance(1h);
    BOOST_TEST(false);
  } catch (const sim::violation& broken) {
    BOOST_TEST(broken.name() == "the number stays below 3");
    BOOST_TEST(broken.seed() == 5u);
    BOOST_TEST(broken.step() == 4u);
    BOOST_TEST((broken.time() == 3s));
  }
  BOOST_TEST(number == 3);
}

BOOST_AUTO_TEST_CASE(a_program_that_turns_round_and_round_is_found) {
  sim::world world{{.seed = 1, .max_steps_at_once = 1000}};
  sim::node& a = world.add_node("a");
  auto held = a.spawn([]() -> task<> {
    for (;;) co_await yield();
  });
  BOOST_CHECK_THROW(world.advance(1s), sim::violation);
}

BOOST_AUTO_TEST_CASE(the_trace_tells_when_and_where_what_ran) {
  sim::world world{{.seed = 1, .keeps_trace = true}};
  sim::node& a = world.add_node("shop");
  a.start([]() -> task<> {
    auto sum = spawn<counter>();
    co_await sum.ask(add{1});
  });
  world.run();
  std::string all;
  for (const auto& line : world.trace()) all += line + "\n";
  for (const char* part : {"a program starts on shop", "counter: ", "::add", "ends with 0"}) {
    BOOST_TEST(all.find(part) != std::string::npos, all);
  }
}

BOOST_AUTO_TEST_CASE(a_program_ends_as_under_run) {
  test::captured_log log;
  sim::world world{1};
  sim::node& a = world.add_node("a");
  a.start([]() -> task<int> {
    spawn([]() -> task<> { co_await sleep_for(1h); }).detach();
    co_return 3;
  });
  world.advance(30min);
  BOOST_TEST(!a.exit_code());  // A task of it is left.
  world.advance(30min);
  BOOST_TEST((a.exit_code() == 3));
  BOOST_TEST(!a.is_up());

  event never;
  a.start([&]() -> task<> { co_await never.wait(); });
  world.run();
  BOOST_TEST((a.exit_code() == 1));
  BOOST_TEST(log.count("the program is stuck") == 1u);

  a.start([]() -> task<> {
    co_await sleep_for(1s);
    throw std::runtime_error{"no more"};
  });
  world.run();
  BOOST_TEST((a.exit_code() == 1));
  BOOST_TEST(log.count("main ended with an exception: no more") == 1u);
}

BOOST_AUTO_TEST_CASE(a_program_is_stopped_as_by_a_signal) {
  sim::world world{1};
  sim::node& a = world.add_node("a");
  bool was_asked = false;
  a.start([&]() -> task<int> {
    try {
      co_await sleep_for(1h);
    } catch (const canceled&) {
      was_asked = true;
    }
    co_return 5;
  });
  world.advance(1s);
  a.terminate();
  world.run();
  BOOST_TEST(was_asked);
  BOOST_TEST((a.exit_code() == 5));
  BOOST_TEST((world.now() == 1s));

  // A stop of main alone does not reach it; that of all tasks does, at four fifths of the budget.
  a.start([]() -> task<> { co_await shield([]() -> task<> { co_await sleep_for(1h); }()); });
  world.advance(1s);
  a.terminate();
  world.advance(3s);
  BOOST_TEST(a.is_up());
  world.advance(1s);
  BOOST_TEST((a.exit_code() == 0));
}

BOOST_AUTO_TEST_CASE(a_task_that_can_never_end_is_told_of) {
  sim::world world{1};
  sim::node& a = world.add_node("a");
  event never;
  BOOST_CHECK_THROW(a.block_on([&]() -> task<> { co_await never.wait(); }), sim::stuck);
  never.set();
  world.run();
  BOOST_TEST(a.rt().tasks().empty());
}

BOOST_AUTO_TEST_CASE(explore_runs_each_seed_and_names_the_one_that_fails) {
  test::captured_log log;
  std::vector<std::uint64_t> seeds;
  auto body = [&](sim::world& world) {
    seeds.push_back(world.seed());
    if (world.seed() == 3) throw std::runtime_error{"as planned"};
  };
  BOOST_CHECK_THROW(sim::explore("sim.world_/it", 10, body), std::runtime_error);
  BOOST_TEST(seeds == (std::vector<std::uint64_t>{1, 2, 3}));
  BOOST_TEST(log.count("./dev replay sim.world_/it --seed 3") == 1u);
}

BOOST_AUTO_TEST_CASE(a_probe_notes_what_it_gets) {
  struct pong {
    int number;
  };
  struct other {};
  sim::world world{1};
  sim::node& a = world.add_node("a");
  sim::probe<pong, other> p{a};
  a.spawn([to = p.ref()]() -> task<> {
     co_await to.send(pong{1});
     co_await sleep_for(1s);
     co_await to.send(other{});
   }).detach();
  BOOST_TEST(p.expect<pong>(1ms).number == 1);
  p.expect_nothing(500ms);
  BOOST_CHECK_THROW(p.expect_nothing(1s), sim::unexpected);
  BOOST_CHECK_THROW(p.expect<pong>(1ms), sim::unexpected);
  (void)p.expect<other>(1ms);
  BOOST_CHECK_THROW(p.expect<other>(1h), sim::unexpected);
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

BOOST_AUTO_TEST_CASE(an_end_that_is_the_last_thing_to_happen_meets_the_condition) {
  sim::world world{1};
  sim::node& only = world.add_node("only");
  only.start([]() -> task<> { co_return; });
  BOOST_TEST(world.run_until([&] { return only.exit_code().has_value(); }, 1s));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
