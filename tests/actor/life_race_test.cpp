#include <chrono>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/supervisor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/task/yield.hpp>

#include <actor/fragile.hpp>
#include <collected_failures.hpp>
#include <sched/two_workers.hpp>
#include <threads.hpp>

namespace troupe {

using namespace std::chrono_literals;

using test::children_of, test::counts, test::crash, test::crash_later, test::fail_next_birth,
    test::fragile, test::ping, test::silence;

namespace {

struct tell {};

class watching : public actor {
public:
  struct numbers {
    int restarts;
    int ends;
  };
  void on(const ref<fragile>& m) { self(this).monitor(m); }
  void on(const actor_id& m) { self(this).demonitor(m); }
  void on(down d) { ++(d.restarts ? seen_.restarts : seen_.ends); }
  numbers on(tell) const { return seen_; }

private:
  numbers seen_{};
};

constexpr supervision untiring(restart_strategy how) {
  return {how, supervision::unlimited, std::chrono::seconds{5}, duration::zero(), duration::zero()};
}

// Harms one of `all` in a way that the seed chooses, again and again.
task<> torment(std::vector<ref<fragile>> all, unsigned seed, int times) {
  std::mt19937 random{seed};
  for (int i = 0; i < times; ++i) {
    const ref<fragile>& one = all[random() % all.size()];
    switch (random() % 6) {
      case 0:
        (void)co_await one.ask(crash{}).as_result();
        break;
      case 1:
        (void)co_await one.ask(crash_later{}).as_result();
        break;
      case 2:
        (void)co_await one.ask(fail_next_birth{}).as_result();
        break;
      case 3:
        one.kill();
        break;
      case 4:
        (void)one.try_send(crash_later{});
        break;
      default:
        (void)co_await one.ask(ping{}).as_result();
    }
  }
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(life_race_, test::two_workers)

// Goal:   each end of an incarnation is told once and followed by one new one, however it came.
BOOST_AUTO_TEST_CASE(life_restart_storm_each_crash_is_told_once_and_answered_by_one_birth) {
  silence quiet;
  const int times = static_cast<int>(test::rounds(20'000));
  for (unsigned seed = 1; seed <= 2; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      counts c;
      rt.block_on([&]() -> task<> {
        auto root = spawn<supervisor>(untiring(restart_strategy::one_for_one));
        auto all = children_of(root, c, 4);
        auto w = spawn<watching>();
        for (auto& each : all) co_await w.send(each);
        (void)co_await w.ask(tell{});
        std::vector<join_handle<void>> tormenting;
        for (unsigned i = 0; i < 2; ++i) {
          tormenting.push_back(spawn(torment, all, 2 * seed + i, times / 2));
        }
        for (auto& each : tormenting) co_await each;
        c.births_to_fail.store(0);
        for (auto& each : all) {
          // The first may overtake a late kill(), the mail before it makes it last.
          for (int i = 0; i < 3; ++i) (void)co_await each.ask(ping{}).as_result();
          BOOST_TEST((co_await each.ask(ping{})) == 1);
        }
        auto seen = co_await w.ask(tell{});
        BOOST_TEST(seen.restarts + 4 == c.births.load());
        BOOST_TEST(seen.ends == 0);
        BOOST_TEST(c.alive.load() == 4);
        root.stop();
        co_await root.ended();
        BOOST_TEST(c.alive.load() == 0);
        BOOST_TEST((co_await w.ask(tell{})).ends == 4);
      });
    }
  }
}

BOOST_AUTO_TEST_CASE(life_restart_storm_groups_come_back_whole) {
  silence quiet;
  for (auto how : {restart_strategy::one_for_all, restart_strategy::rest_for_one}) {
    for (unsigned seed = 1; seed <= 4; ++seed) {
      BOOST_TEST_CONTEXT("seed " << seed) {
        counts c;
        rt.block_on([&]() -> task<> {
          auto root = spawn<supervisor>(untiring(how));
          auto all = children_of(root, c, 8);
          std::vector<join_handle<void>> tormenting;
          for (unsigned i = 0; i < 2; ++i) {
            int times = static_cast<int>(test::rounds(1'000));
            tormenting.push_back(spawn(torment, all, 2 * seed + i, times));
          }
          for (auto& each : tormenting) co_await each;
          c.births_to_fail.store(0);
          for (int i = 0; i < 3; ++i) {
            for (auto& each : all) (void)co_await each.ask(ping{}).as_result();
          }
          root.stop();
          co_await root.ended();
          BOOST_TEST(c.alive.load() == 0);
        });
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_end_of_a_supervisor_in_the_middle_of_a_storm_ends_all_below) {
  silence quiet;
  for (unsigned seed = 1; seed <= test::rounds(300); ++seed) {
    counts c;
    rt.block_on([&]() -> task<> {
      auto how = static_cast<restart_strategy>(seed % 3);
      auto root = spawn<supervisor>(untiring(how));
      auto all = children_of(root, c, 3);
      auto first = spawn(torment, all, seed, 40), second = spawn(torment, all, seed + 1, 40);
      for (unsigned i = 0; i < seed % 20; ++i) (void)co_await all[0].ask(ping{}).as_result();
      seed % 2 == 0 ? root.kill() : root.stop();
      for (auto& each : all) co_await each.ended();
      co_await root.ended();
      co_await first;
      co_await second;
    });
    BOOST_REQUIRE(c.alive.load() == 0);
  }
}

BOOST_AUTO_TEST_CASE(inner_supervisors_that_crash_bring_all_below_back) {
  silence quiet;
  for (unsigned seed = 1; seed <= test::rounds(60); ++seed) {
    counts c;
    rt.block_on([&]() -> task<> {
      auto root = spawn<supervisor>(untiring(restart_strategy::one_for_one));
      auto inner = spawn_child<supervisor>(root, untiring(static_cast<restart_strategy>(seed % 3)));
      auto all = children_of(inner, c, 3);
      auto tormenting = spawn(torment, all, seed, 60);
      for (int i = 0; i < 10; ++i) {
        inner.kill();
        (void)co_await all[static_cast<std::size_t>(i) % 3].ask(ping{}).as_result();
      }
      co_await tormenting;
      c.births_to_fail.store(0);
      for (int i = 0; i < 3; ++i) {
        for (auto& each : all) (void)co_await each.ask(ping{}).as_result();
      }
      root.stop();
      co_await root.ended();
      for (auto& each : all) co_await each.ended();
    });
    BOOST_REQUIRE(c.alive.load() == 0);
  }
}

// Goal:   the last word of a monitor, its end and its removal meet in every order.
BOOST_AUTO_TEST_CASE(monitors_of_actors_that_end_at_once_are_told_once) {
  counts c;
  rt.block_on([&]() -> task<> {
    auto w = spawn<watching>();
    int monitored = 0, removed = 0;
    for (std::size_t i = 0; i < test::rounds(20'000); ++i) {
      auto victim = spawn<fragile>(c);
      co_await w.send(victim);
      ++monitored;
      if (i % 2 == 0) (void)co_await w.ask(tell{});
      victim.stop();
      if (i % 8 == 0) {
        co_await w.send(victim.id());
        ++removed;
      }
      if (i % 3 == 0) co_await victim.ended();
    }
    while (c.alive.load() > 0) co_await yield();
    // The word of an end may still be on its way, for as long as its worker stands still.
    int ends = 0;
    while (ends < monitored - removed) ends = (co_await w.ask(tell{})).ends;
    BOOST_TEST(ends >= monitored - removed);
    BOOST_TEST(ends <= monitored);
  });
}

BOOST_AUTO_TEST_CASE(links_and_watchers_that_end_with_their_targets) {
  class tied : public actor {
  public:
    explicit tied(counts& c) : counts_{&c} { c.alive.fetch_add(1); }
    ~tied() { counts_->alive.fetch_sub(1); }
    void on(const ref<tied>& other) {
      self(this).link(other);
      self(this).monitor(other);
    }
    void on(down) {}
    int on(ping) { return 1; }

  private:
    counts* counts_;
  };
  counts c;
  rt.block_on([&]() -> task<> {
    for (std::size_t i = 0; i < test::rounds(5'000); ++i) {
      auto a = spawn<tied>(c), b = spawn<tied>(c);
      co_await a.send(b);
      co_await b.send(a);
      if (i % 2 == 0) (void)co_await a.ask(ping{});
      if (i % 3 == 0) (void)co_await b.ask(ping{});
      a.kill();
      if (i % 5 == 0) b.kill();
      co_await a.ended();
      if (i % 2 == 0) co_await b.ended();  // Else the wish may have met one that had ended.
      b.stop();
      co_await b.ended();
    }
  });
  test::wait_until([&] { return c.alive.load() == 0; });
}

BOOST_AUTO_TEST_CASE(monitors_reach_across_runtimes_and_outlive_them) {
  counts c;
  auto w = rt.block_on([]() -> task<ref<watching>> { co_return spawn<watching>(); });
  const std::size_t rounds = test::rounds(100);
  for (std::size_t i = 0; i < rounds; ++i) {
    runtime_config one;
    one.workers = 1;
    runtime other{one};
    auto make = [&]() -> task<ref<fragile>> { co_return spawn<fragile>(c); };
    auto victim = other.block_on(make);
    auto watch = [&]() -> task<> {
      co_await w.send(victim);
      (void)co_await w.ask(tell{});
    };
    rt.block_on(watch);
    if (i % 2 == 0) victim.stop();
  }
  auto ends = [&]() -> task<int> { co_return (co_await w.ask(tell{})).ends; };
  BOOST_TEST(rt.block_on(ends) == static_cast<int>(rounds));
  BOOST_TEST(c.alive.load() == 0);
}

BOOST_AUTO_TEST_CASE(foreign_threads_stop_kill_and_drop_while_a_runtime_ends) {
  silence quiet;
  test::collected_failures expected;
  for (std::size_t i = 0; i < test::rounds(200); ++i) {
    counts c;
    auto other = std::make_unique<runtime>(config());
    std::vector<ref<fragile>> all;
    auto make = [&]() -> task<> {
      auto root = spawn<supervisor>(untiring(restart_strategy::one_for_one));
      all = children_of(root, c, 2);
      for (int n = 0; n < 2; ++n) all.push_back(spawn<fragile>(c));
      co_return;
    };
    other->block_on(make);
    test::race(2, [&](std::size_t who) {
      if (who == 0) return other.reset();
      for (auto& each : all) {
        (void)each.try_send(crash_later{});
        i % 2 == 0 ? each.kill() : each.stop();
      }
      all.clear();
    });
    BOOST_REQUIRE(c.alive.load() == 0);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
