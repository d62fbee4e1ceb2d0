#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/thread.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/spawn_blocking.hpp>
#include <troupe/task/yield.hpp>

#include <captured_log.hpp>
#include <thrown_misuse.hpp>
#include "caf_fixture.hpp"

namespace troupe {

namespace {

using ::caf::after;
using ::caf::behavior;
using ::caf::event_based_actor;
namespace chr = std::chrono;

using test::answers;
using test::one_worker;
using test::some_workers;
using test::two_of_them;

bool is_worker() { return scheduler::current() != nullptr; }

// Goes on for ever.
behavior busy(event_based_actor* self, pal::atomic<int>* turns) {
  self->send(self, ::caf::ok_atom::value);
  return {[=](::caf::ok_atom) {
    turns->fetch_add(1);
    self->send(self, ::caf::ok_atom::value);
  }};
}

// Counts down to zero, to and fro.
behavior player(event_based_actor* self, std::shared_ptr<oneshot_sender<bool>> over) {
  return {[=](int left, const ::caf::actor& other) {
    if (left > 0) return self->send(other, left - 1, ::caf::actor{self});
    self->send_exit(other, ::caf::exit_reason::user_shutdown);
    self->quit();
    if (over) (void)over->send(is_worker());
  }};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(system_, *boost::unit_test::label("caf"))

BOOST_FIXTURE_TEST_CASE(runs_actors_on_the_workers_and_stops, two_of_them) {
  bool on_worker = false;
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    auto [over, ended] = answers<bool>();
    {
      auto ping = system->spawn(player, over);
      auto pong = system->spawn(player, over);
      ::caf::anon_send(ping, 10'000, pong);
    }
    on_worker = co_await ended;
    co_await system.shut_down();
  });
  BOOST_TEST(on_worker);
  BOOST_TEST(config.module_factories.empty());
}

BOOST_FIXTURE_TEST_CASE(several_share_a_runtime_and_a_configuration, two_of_them) {
  rt.block_on([&]() -> task<> {
    std::vector<std::unique_ptr<caf_system>> systems;
    for (int i = 0; i < 3; ++i) systems.push_back(std::make_unique<caf_system>(config));
    for (auto& each : systems) {
      auto [over, ended] = answers<bool>();
      auto ping = (*each)->spawn(player, over);
      ::caf::anon_send(ping, 100, (*each)->spawn(player, over));
      ping = nullptr;
      co_await ended;
    }
    for (auto& each : systems) co_await each->shut_down();
  });
}

// Goal: shut_down() waits for CAF's actors, and holds no worker meanwhile.
BOOST_FIXTURE_TEST_CASE(shut_down_waits_for_actors_without_a_worker, one_worker) {
  bool had_ended = false;
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    auto [go, may_end] = oneshot<int>();
    auto waits = std::make_shared<oneshot_receiver<int>>(std::move(may_end));
    auto actor = system->spawn(
        [&](event_based_actor*) -> behavior { return {[&](int) { had_ended = true; }}; });
    auto helper = spawn(
        [](::caf::actor to, std::shared_ptr<oneshot_receiver<int>> when) -> task<> {
          ::caf::anon_send(to, co_await *when);
        },
        actor, waits);
    actor = nullptr;
    auto end = spawn([&]() -> task<> { co_await system.shut_down(); });
    (void)std::move(go).send(1);
    co_await end;
    co_await helper;
  });
  BOOST_TEST(had_ended);
}

// Goal: an actor that keeps itself busy leaves the worker to others, and does not hold up the end.
BOOST_FIXTURE_TEST_CASE(a_busy_actor_shares_its_worker_and_ends, one_worker) {
  pal::atomic<int> turns{0};
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    system->await_actors_before_shutdown(false);
    auto actor = system->spawn(busy, &turns);
    while (turns.load() < 10'000) co_await yield();
    actor = nullptr;
    co_await system.shut_down();
  });
  BOOST_TEST(turns.load() >= 10'000);
}

BOOST_FIXTURE_TEST_CASE(detached_blocking_and_delayed_work_as_ever, one_worker) {
  std::string heard;
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    auto [over, ended] = answers<std::string>();
    auto text = std::make_shared<std::string>();
    auto sink = system->spawn([=](event_based_actor* self) -> behavior {
      return {[=](const std::string& part) {
        *text += part;
        if (text->size() < 3) return;
        (void)over->send(*text);
        self->quit();
      }};
    });
    auto late = chr::milliseconds{5};
    system->spawn(
        [=](event_based_actor* self) { self->delayed_send(sink, late, std::string{"d"}); });
    system->spawn([=](::caf::blocking_actor* self) { self->send(sink, std::string{"b"}); });
    system->spawn<::caf::detached>([=](event_based_actor* self) -> behavior {
      self->send(sink, std::string{"t"});
      return {};
    });
    sink = nullptr;
    heard = co_await ended;
    co_await system.shut_down();
  });
  BOOST_TEST(heard.size() == 3u);
}

// Goal:   threads of the blocking pool, which live longer, do not keep the system from ending.
BOOST_FIXTURE_TEST_CASE(scoped_actors_in_blocking_work_do_not_hold_up_the_end, one_worker) {
  int answer = 0;
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    auto actor =
        system->spawn([](event_based_actor*) -> behavior { return {[](int x) { return x + 1; }}; });
    auto work = spawn_blocking([&] {
      ::caf::scoped_actor self{*system};
      self->request(actor, ::caf::infinite, 1)
          .receive([&](int x) { answer = x; }, [](::caf::error&) {});
    });
    co_await work;
    actor = nullptr;
    co_await system.shut_down();
  });
  BOOST_TEST(answer == 2);
}

// Goal:   the same for a thread that is not the one on which the system ends.
// Method: two pieces of work meet, so that each has a thread; one of the two is kept busy then.
BOOST_FIXTURE_TEST_CASE(no_thread_of_the_blocking_pool_keeps_the_system, one_worker) {
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    pal::atomic<int> missing{2};
    auto meet = [&] {
      system->spawn([](event_based_actor*) {});
      missing.fetch_sub(1);
      while (missing.load() != 0) pal::yield_thread();
    };
    auto first = spawn_blocking(meet);
    auto second = spawn_blocking(meet);
    co_await first;
    co_await second;
    pal::atomic<bool> is_over{false};
    auto kept_busy = spawn_blocking([&] {
      while (!is_over.load()) pal::yield_thread();
    });
    co_await system.shut_down();
    is_over.store(true);
    co_await kept_busy;
  });
}

// Goal: a scoped_actor that holds its worker is answered by an actor on another one.
BOOST_FIXTURE_TEST_CASE(a_scoped_actor_on_a_worker_holds_no_other, two_of_them) {
  int answer = 0;
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    auto actor =
        system->spawn([](event_based_actor*) -> behavior { return {[](int x) { return x + 1; }}; });
    {
      ::caf::scoped_actor self{*system};
      self->request(actor, ::caf::infinite, 1)
          .receive([&](int x) { answer = x; }, [](::caf::error&) {});
    }
    actor = nullptr;
    co_await system.shut_down();
  });
  BOOST_TEST(answer == 2);
}

// Goal:   one that waits on the only worker, and so for itself, is told of.
// Method: CAF's own time limit ends it.
BOOST_FIXTURE_TEST_CASE(a_scoped_actor_that_waits_on_the_only_worker_is_one_line, one_worker,
                        *boost::unit_test::label("slow")) {
  test::captured_log log;
  ::caf::error failed;
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    auto actor =
        system->spawn([](event_based_actor*) -> behavior { return {[](int x) { return x + 1; }}; });
    {
      ::caf::scoped_actor self{*system};
      self->request(actor, std::chrono::seconds{3}, 1)
          .receive([](int) {}, [&](::caf::error& why) { failed = why; });
    }
    actor = nullptr;
    co_await system.shut_down();
  });
  BOOST_TEST((failed == ::caf::sec::request_timeout));
  BOOST_TEST(log.count("use it in spawn_blocking()") == 1u);
}

// Goal: what is kept in CAF's registry at the end, one of troupe among it, does not hold that up.
BOOST_FIXTURE_TEST_CASE(registered_actors_end_with_the_system, one_worker) {
  struct ask {
    using reply = int;
  };
  struct answers_one : actor {
    int on(ask) { return 1; }
  };
  rt.block_on([&]() -> task<> {
    caf_system system{config};
    auto local = spawn<answers_one>();
    {
      ::caf::actor proxy = to_caf<protocol<ask>>(system, local);
      system->registry().put(proxy.id(), proxy);
      system->registry().put(::caf::atom("proxy"), proxy);
    }
    co_await system.shut_down();
    local.kill();  // Its end is told to nobody in CAF any more.
    exit_reason why = co_await local.ended();
    BOOST_TEST((why.kind == exit_kind::killed));
  });
}

// Goal: what a CAF actor may still do keeps a program from being called stuck.
BOOST_AUTO_TEST_CASE(a_task_that_waits_for_a_caf_actor_is_not_stuck) {
  ::caf::actor_system_config config;
  test::captured_log log;
  int code = run([&]() -> task<int> {
    caf_system system{config};
    auto [over, ended] = answers<int>();
    system->spawn([back = over](event_based_actor* self) -> behavior {
      self->delayed_send(self, chr::milliseconds{20}, 7);
      return {[=](int x) {
        (void)back->send(int{x});
        self->quit();
      }};
    });
    over.reset();
    int seven = co_await ended;
    co_return seven;
  });
  BOOST_TEST(code == 7);
  BOOST_TEST(log.lines().empty());
}

// Goal: without shut_down() the runtime waits for the end, and no worker does.
BOOST_AUTO_TEST_CASE(run_does_not_end_before_a_system_that_was_let_go) {
  ::caf::actor_system_config config;
  pal::atomic<bool> ended{false};
  runtime_config one;
  one.workers = 1;
  int code = run(one, [&]() -> task<> {
    caf_system system{config};
    system->spawn([&](event_based_actor* self) -> behavior {
      self->delayed_send(self, chr::milliseconds{20}, 7);
      return {[&, self](int) {
        ended.store(true);
        self->quit();
      }};
    });
    co_return;
  });
  BOOST_TEST(code == 0);
  BOOST_TEST(ended.load());
}

// Goal: a runtime that is destroyed under a system takes it along: nothing hangs, nothing leaks.
BOOST_AUTO_TEST_CASE(the_end_of_the_runtime_ends_a_system_in_a_frame) {
  for (int round = 0; round < 20; ++round) {
    pal::atomic<int> turns{0};
    ::caf::actor_system_config config;
    {
      some_workers given{2};
      auto left = given.rt.spawn([&]() -> task<> {
        caf_system system{config};
        auto actor = system->spawn(busy, &turns);
        auto idle = system->spawn([](event_based_actor*) -> behavior { return {[](int) {}}; });
        co_await sleep_for(chr::hours{1});
      });
      given.rt.block_on([&]() -> task<> {
        while (turns.load() < 1000) co_await yield();
      });
      left.detach();
    }
    BOOST_TEST(turns.load() >= 1000);
  }
}

// Goal: the same for one that was let go and waits for an actor that never ends.
BOOST_AUTO_TEST_CASE(the_end_of_the_runtime_ends_the_wait_for_actors) {
  for (int round = 0; round < 20; ++round) {
    pal::atomic<int> turns{0};
    ::caf::actor_system_config config;
    {
      some_workers given{2};
      given.rt.block_on([&]() -> task<> {
        caf_system system{config};
        system->spawn(busy, &turns);
        co_return;
      });
    }
    int seen = turns.load();
    BOOST_TEST(turns.load() == seen);
  }
}

BOOST_AUTO_TEST_CASE(a_system_that_outlives_its_runtime_is_one_line_and_works_on) {
  ::caf::actor_system_config config;
  test::captured_log log;
  std::unique_ptr<caf_system> system;
  ::caf::actor actor;
  {
    some_workers given{2};
    given.rt.block_on([&]() -> task<> {
      system = std::make_unique<caf_system>(config);
      actor = (*system)->spawn(
          [](event_based_actor*) -> behavior { return {[](int x) { return x + 1; }}; });
      co_return;
    });
  }
  BOOST_TEST(log.count("outlives its runtime") == 1u);
  int answer = 0;
  {
    ::caf::scoped_actor self{**system};
    self->request(actor, ::caf::infinite, 1)
        .receive([&](int x) { answer = x; }, [](::caf::error&) {});
  }
  BOOST_TEST(answer == 2);
  actor = nullptr;
  system.reset();
  BOOST_TEST(log.lines().size() == 1u);
}

BOOST_AUTO_TEST_CASE(one_outside_a_runtime_is_refused) {
  ::caf::actor_system_config config;
  std::string text = test::misuse_of([&] { caf_system{config}; });
  BOOST_TEST(text == "caf_system was made outside a runtime: make it in a task");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
