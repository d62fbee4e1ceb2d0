// What a handler, or a side task, awaits as a task: in select, timeout, shield, when_all or scope.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/actor/ask.hpp>
#include <troupe/pal/thread.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/shield.hpp>
#include <troupe/task/when_all.hpp>
#include <troupe/task/yield.hpp>

#include <sched/two_workers.hpp>
#include <sched/virtual_worker.hpp>
#include <threads.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

enum class way { in_select, in_timeout, in_shield, in_when_all, in_scope };
constexpr way all_ways[] = {way::in_select, way::in_timeout, way::in_shield, way::in_when_all,
                            way::in_scope};

// Both are run to their end, as children of the task that awaits this.
task<> run_both(way how, std::function<task<>()> one, std::function<task<>()> other) {
  switch (how) {
    case way::in_select:
      (void)co_await select(one(), shield(other()));
      break;
    case way::in_timeout:
      co_await timeout(1h, one());
      co_await timeout(1h, other());
      break;
    case way::in_shield:
      co_await shield(one());
      co_await shield(other());
      break;
    case way::in_when_all:
      (void)co_await when_all(one(), other());
      break;
    case way::in_scope:
      co_await scope([&](scope_handle in) -> task<> {
        in.spawn(one);
        in.spawn(other);
        co_return;
      });
  }
}

// Counts without atomics: nothing of it may run at the same time as another part.
class counter : public actor {
public:
  struct walk {
    way how;
    bool later;
  };
  struct walk_beside {
    way how;
  };
  struct walk_interleaved {
    way how;
  };
  struct give {};
  struct seen {
    int count;
    bool met;
  };
  struct tell {};

  task<> on(walk m) {
    if (m.later) co_await yield();
    co_await walk_both(m.how);
  }
  void on(walk_beside m) {
    self().spawn([this, m]() -> task<> { co_await walk_both(m.how); });
  }
  task<> on(walk_interleaved m, interleaved) { co_await walk_both(m.how); }
  void on(give) { step(); }
  seen on(tell) { return {count_, met_}; }

private:
  task<> walk_both(way how) {
    step();
    auto steps = [this] { return go(); };
    co_await run_both(how, steps, steps);
    step();
  }
  task<> go() {
    for (int i = 0; i < 8; ++i) {
      step();
      co_await yield();
    }
  }
  void step() {
    met_ = met_ || inside_;
    inside_ = true;
    ++count_;
    for (int i = 0; i < 20; ++i) pal::spin_hint();
    inside_ = false;
  }

  volatile bool inside_ = false;
  bool met_ = false;
  int count_ = 0;
};

struct probe {};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(children_, test::two_workers)

BOOST_AUTO_TEST_CASE(order_children_never_run_at_the_same_time_as_their_actor) {
  for (std::size_t round = 0; round < test::rounds(40); ++round) {
    rt.block_on([]() -> task<> {
      auto c = spawn<counter>();
      std::vector<join_handle<void>> asking;
      for (way how : all_ways) {
        co_await c.send(counter::walk_beside{how});
        for (bool later : {false, true}) {
          asking.push_back(spawn([c, how, later]() -> task<> {
            co_await c.ask(counter::walk{how, later}, no_deadline);
          }));
        }
        co_await c.send(counter::walk_interleaved{how});
        co_await c.send(counter::give{});
      }
      for (auto& each : asking) co_await each;
      counter::seen now{};
      // Of each way four walks of 18 steps, and one step more.
      while (now.count < 5 * (4 * 18 + 1) && !now.met) now = co_await c.ask(counter::tell{});
      BOOST_REQUIRE(!now.met);
      BOOST_REQUIRE(now.count == 5 * (4 * 18 + 1));
    });
  }
}

BOOST_AUTO_TEST_CASE(of_a_pinned_actor_stay_on_its_thread) {
  class pinned : public actor {
  public:
    task<bool> on(probe) {
      auto home = std::this_thread::get_id();
      bool is_home = true;
      auto look = [&]() -> task<> {
        for (int i = 0; i < 200; ++i) {
          is_home = is_home && std::this_thread::get_id() == home;
          co_await yield();
        }
      };
      for (way how : all_ways) co_await run_both(how, look, look);
      co_return is_home;
    }
  };
  rt.block_on([]() -> task<> {
    auto p = spawn<pinned>(actor_options{.pinned = true});
    BOOST_TEST((co_await p.ask(probe{})));
  });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(children_of_handlers_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(know_their_actor_and_may_start_side_tasks) {
  class parent : public actor {
  public:
    task<int> on(probe) {
      auto start = [this]() -> task<> {
        BOOST_TEST(self(this).name() == "parent of two");
        self().spawn([this]() -> task<> {
          co_await yield();
          ++started_;
        });
        co_return;
      };
      for (way how : all_ways) co_await run_both(how, start, start);
      co_await sleep_for(1ms);
      co_return started_;
    }

  private:
    int started_ = 0;
  };
  rt.block_on([]() -> task<> {
    auto p = spawn<parent>(actor_options{.name = "parent of two"});
    BOOST_TEST((co_await p.ask(probe{})) == 10);
  });
}

BOOST_AUTO_TEST_CASE(ask_deadline_is_that_of_the_request_for_what_they_ask_too) {
  struct hold {};
  class silent : public actor {
  public:
    task<int> on(hold) {
      event never;
      co_await never.wait();
      co_return 0;
    }
  };
  class asker : public actor {
  public:
    explicit asker(ref<silent> other) : other_{std::move(other)} {}
    task<boost::system::error_code> on(probe) {
      boost::system::error_code seen;
      auto ask_other = [&]() -> task<> {
        auto answer = co_await other_.ask(hold{}).as_result();
        if (!answer) seen = answer.error();
      };
      co_await timeout(1h, ask_other());
      co_return seen;
    }

  private:
    ref<silent> other_;
  };
  rt.block_on([this]() -> task<> {
    auto a = spawn<asker>(spawn<silent>());
    time_point before = clock.now();
    auto seen = co_await a.ask(probe{}, within(70ms)).as_result();
    BOOST_TEST((seen.has_error() || seen.value() == ask_errc::timeout));
    co_await sleep_for(10ms);
    BOOST_TEST((clock.now() - before < 200ms));
  });
}

BOOST_AUTO_TEST_CASE(ask_deadline_is_the_default_one_in_a_shield) {
  struct undo {};
  class ledger : public actor {
  public:
    int on(undo) { return 7; }
  };
  class clerk : public actor {
  public:
    explicit clerk(ref<ledger> l) : ledger_{std::move(l)} {}
    task<> on(probe) {
      event never;
      (void)co_await timeout(50ms, never.wait()).as_result();  // The request is over by then.
      auto clean_up = [this]() -> task<> { undone_ = co_await ledger_.ask(undo{}); };
      co_await shield(clean_up());
    }
    int on(undo) { return undone_; }

  private:
    ref<ledger> ledger_;
    int undone_ = 0;
  };
  rt.block_on([]() -> task<> {
    auto c = spawn<clerk>(spawn<ledger>());
    auto late = co_await c.ask(probe{}, within(20ms)).as_result();
    BOOST_TEST((late.has_error() && late.error() == ask_errc::timeout));
    BOOST_TEST((co_await c.ask(undo{})) == 7);
  });
}

BOOST_AUTO_TEST_CASE(are_ended_by_a_kill_before_the_state_goes) {
  class parent : public actor {
  public:
    explicit parent(std::vector<int>& notes) : notes_{&notes} {}
    ~parent() { notes_->push_back(3); }
    task<> on(way how) {
      auto wait = [this]() -> task<> {
        struct last {
          ~last() { of->push_back(1); }
          std::vector<int>* of;
        } guard{notes_};
        event never;
        co_await never.wait();
      };
      co_await run_both(how, wait, wait);
    }

  private:
    std::vector<int>* notes_;
  };
  // The branch of a select, and the body, that are shielded would hold the kill up.
  for (way how : {way::in_timeout, way::in_when_all, way::in_scope}) {
    std::vector<int> notes;
    rt.block_on([&]() -> task<> {
      auto p = spawn<parent>(notes);
      co_await p.send(way{how});
      co_await sleep_for(1ms);
      p.kill();
      co_await p.ended();
    });
    BOOST_REQUIRE(notes.size() == (how == way::in_timeout ? 2u : 3u));
    BOOST_TEST(notes.back() == 3);
  }
}

BOOST_AUTO_TEST_CASE(are_destroyed_with_their_runtime) {
  class parent : public actor {
  public:
    explicit parent(std::shared_ptr<int> owned) : owned_{std::move(owned)} {}
    task<> on(way how) {
      auto wait = [owned = owned_]() -> task<> {
        std::shared_ptr<int> held = owned;
        event never;
        co_await never.wait();
      };
      co_await run_both(how, wait, wait);
    }

  private:
    std::shared_ptr<int> owned_;
  };
  auto owned = std::make_shared<int>(0);
  {
    runtime other{test::two_workers::config()};
    other.block_on([owned]() -> task<> {
      std::vector<ref<parent>> all;
      for (way how : all_ways) {
        all.push_back(spawn<parent>(owned));
        spawn([p = all.back(), how]() -> task<> {
          (void)co_await p.ask(way{how}, no_deadline).as_result();
        }).detach();
      }
      for (int i = 0; i < 100; ++i) co_await yield();
    });
  }
  BOOST_TEST(owned.use_count() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
