#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/supervisor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/scope.hpp>

#include <sched/virtual_worker.hpp>
#include <thrown_misuse.hpp>

// What cannot be right, and is told in one line.

namespace troupe {

using namespace std::chrono_literals;

namespace {

using lines = std::vector<std::string>;

struct begin {};
struct crash {};
struct name_of {};
struct ping {};

// Asks for itself before it is an actor.
class hasty : public actor {
public:
  explicit hasty(lines& log, bool with_its_class) {
    log.push_back(test::misuse_of([&] {
      if (with_its_class) {
        (void)self(this);
      } else {
        self().stop();
      }
    }));
  }
  void on_start() { (void)self(); }
  void on(crash) { throw std::runtime_error{"crashed"}; }
  int on(ping) { return 1; }
};

// Makes one of those in a handler, and is not stopped by it.
class maker : public actor {
public:
  explicit maker(lines& log) : log_{&log} {}
  std::string on(begin) {
    made_.emplace(spawn<hasty>(*log_, false));
    return self().name();
  }
  int on(ping) { return 1; }

private:
  lines* log_;
  std::optional<ref<hasty>> made_;
};

class timed : public actor {
public:
  explicit timed(lines& log) : log_{&log} {}
  void on_start() {
    for (duration length : {duration{0}, duration{-1}}) {
      log_->push_back(test::misuse_of([&] { (void)self(this).send_every(length, ping{}); }));
      log_->push_back(test::misuse_of([&] { (void)self(this).send_when_idle<ping>(length); }));
    }
  }
  int on(ping) { return 1; }

private:
  lines* log_;
};

class patient : public actor {
public:
  explicit patient(lines& log) : log_{&log} {}
  task<> on(begin) {
    test::thrown_misuse guard;
    try {
      co_await self(this).address().ended();
    } catch (const test::misused& seen) {
      log_->push_back(seen.what());
    }
  }
  // Nor may a child of its handler.
  task<> on(name_of) { co_await timeout(1h, on(begin{})); }
  // A side task may: it is ended first.
  void on(ping) {
    self().spawn([me = weak_ref{self(this).address()}, log = log_]() -> task<> {
      auto living = me.lock();
      co_await living->ended();
      log->push_back("not this");
    });
  }

private:
  lines* log_;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(misuse_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(self_in_a_constructor_does_not_mean_who_spawns) {
  lines log;
  rt.block_on([&]() -> task<> {
    auto made = spawn<hasty>(log, false);
    auto m = spawn<maker>(log);
    BOOST_TEST((co_await m.ask(begin{})).find("maker") != std::string::npos);  // It is whole again.
    BOOST_TEST((co_await m.ask(ping{})) == 1);
    BOOST_TEST((co_await made.ask(ping{})) == 1);
  });
  BOOST_REQUIRE(log.size() == 2u);
  for (const auto& each : log) {
    BOOST_TEST(each.find("in an actor's constructor") != std::string::npos, each);
  }
}

BOOST_AUTO_TEST_CASE(self_in_a_constructor_is_refused_on_a_restart_too) {
  lines log;
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>();
    auto child = spawn_child<hasty>(root, std::ref(log), true);
    co_await child.send(crash{});
    BOOST_TEST((co_await child.ask(ping{})) == 1);
    root.stop();
    co_await root.ended();
  });
  BOOST_REQUIRE(log.size() == 2u);
  for (const auto& each : log) {
    BOOST_TEST(each.find("in an actor's constructor") != std::string::npos, each);
  }
}

// What a constructor throws leaves the spawner's handler as it was.
BOOST_AUTO_TEST_CASE(self_is_right_after_a_constructor_that_has_thrown) {
  class stillborn : public actor {
  public:
    stillborn() { throw std::runtime_error{"no"}; }
  };
  class parent : public actor {
  public:
    std::string on(name_of) {
      BOOST_CHECK_THROW((void)spawn<stillborn>(), std::runtime_error);
      return self().name();
    }
  };
  rt.block_on([]() -> task<> {
    auto p = spawn<parent>(actor_options{.name = "parent"});
    BOOST_TEST((co_await p.ask(name_of{})) == "parent");
  });
}

BOOST_AUTO_TEST_CASE(timers_that_would_never_rest_are_refused) {
  lines log;
  rt.block_on([&]() -> task<> {
    auto t = spawn<timed>(log);
    BOOST_TEST((co_await t.ask(ping{})) == 1);
  });
  BOOST_REQUIRE(log.size() == 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    const char* call = i % 2 == 0 ? "send_every(period" : "send_when_idle<M>(limit";
    BOOST_TEST(log[i].find(call) != std::string::npos, log[i]);
  }
}

BOOST_AUTO_TEST_CASE(a_handler_that_waits_for_its_own_end_is_refused) {
  lines log;
  rt.block_on([&]() -> task<> {
    auto p = spawn<patient>(log);
    co_await p.send(begin{});
    co_await p.send(name_of{});
    co_await p.send(ping{});
    co_await sleep_for(1s);
    p.stop();
    co_await p.ended();
  });
  BOOST_REQUIRE(log.size() == 2u);
  for (const auto& each : log) BOOST_TEST(each.find("ended()") != std::string::npos, each);
}

BOOST_AUTO_TEST_CASE(what_self_gave_is_refused_to_a_task_that_is_not_the_actors) {
  class giver : public actor {
  public:
    explicit giver(lines& log) : log_{&log} {}
    task<> on(begin) {
      auto me = self(this);
      co_await spawn([me, log = log_]() -> task<> {
        log->push_back(test::misuse_of([&] { (void)me.send_after(1s, ping{}); }));
        log->push_back(test::misuse_of([&] { me.spawn([] {}); }));
        co_return;
      });
      co_await scope([me](scope_handle) -> task<> {
        (void)me.send_after(1s, ping{});  // This one is.
        co_return;
      });
    }
    int on(ping) { return ++pings_; }

  private:
    lines* log_;
    int pings_ = 0;
  };
  lines log;
  rt.block_on([&]() -> task<> {
    auto g = spawn<giver>(log);
    co_await g.send(begin{});
    co_await sleep_for(2s);
    BOOST_TEST((co_await g.ask(ping{})) == 2);
  });
  BOOST_REQUIRE(log.size() == 2u);
  for (const auto& each : log) {
    BOOST_TEST(each.find("a task that is not its own") != std::string::npos, each);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
