#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/supervisor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/stop.hpp>
#include <troupe/task/yield.hpp>

#include <collected_failures.hpp>
#include <sched/two_workers.hpp>
#include <sched/virtual_worker.hpp>
#include <threads.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

enum class place { plain, first_segment, later_segment };

struct start {
  place where;
  event* until;
};
struct start_and_wake {};
struct total {};
struct hold {
  event* until;
};
struct hold_and_throw {};
struct begin_failing {
  event* when;
};
struct begin_stubborn {};

// What an actor notes of its tasks and lives; outlives it.
struct diary {
  std::vector<std::string> lines;
  event told;
};

class host : public actor {
public:
  explicit host(diary& d) : diary_{&d} {}
  ~host() { note("destroyed"); }

  task<> on(start m) {
    if (m.where == place::later_segment) co_await yield();
    begin(m.until);
    if (m.where == place::first_segment) co_await yield();
  }
  // Its last segment wakes the side task, and ends.
  task<> on(start_and_wake) {
    self().spawn([this]() -> task<> {
      co_await diary_->told.wait();
      note("woken");
    });
    co_await yield();
    diary_->told.set();
  }
  int on(total) { return sum_; }
  task<int> on(hold m) {
    co_await m.until->wait();
    co_return sum_;
  }
  task<int> on(hold_and_throw) {
    event never;
    try {
      co_await never.wait();
    } catch (const canceled&) {
    }
    throw std::runtime_error{"of the handler"};
  }
  void on(begin_failing m) {
    self().spawn([m]() -> task<> {
      co_await m.when->wait();
      throw std::runtime_error{"of the side task"};
    });
  }
  void on(begin_stubborn) {
    self().spawn([this]() -> task<> {
      try {
        event never;
        co_await never.wait();
      } catch (const canceled&) {
        begin(nullptr);
      }
    });
  }

private:
  void begin(event* until) {
    self().spawn([this, until]() -> task<> {
      struct last {
        ~last() { of->note("side task gone"); }
        host* of;
      } guard{this};
      note("side task");
      event never;
      event* awaited = until == nullptr ? &never : until;
      co_await awaited->wait();
      ++sum_;
    });
  }
  void note(const char* what) { diary_->lines.emplace_back(what); }

  diary* diary_;
  int sum_ = 0;
};

// Counts without atomics: its handlers and side tasks must never run at the same time.
class teller : public actor {
public:
  struct give {};
  struct give_slowly {};
  struct begin {
    int steps;
  };
  struct begin_late {};
  struct tell {};
  struct echo {};
  struct sums {
    int count;
    bool met;
  };

  explicit teller(std::optional<ref<teller>> other = {}) : other_{std::move(other)} {}

  void on(give) { step(); }
  task<> on(give_slowly) {
    step();
    (void)co_await other_->ask(echo{});
    step();
    co_await yield();
    step();
  }
  void on(begin m) { go(m.steps); }
  task<> on(begin_late) {
    step();
    co_await yield();
    go(1);
    step();
    co_await yield();
    step();
  }
  int on(echo) { return 0; }
  sums on(tell) { return {count_, met_}; }

private:
  void go(int steps) {
    self().spawn([this, steps]() -> task<> {
      for (int i = 0; i < steps; ++i) {
        step();
        if (other_) {
          (void)co_await other_->ask(echo{});
        } else {
          co_await yield();
        }
      }
    });
  }
  void step() {
    met_ = met_ || inside_;
    inside_ = true;
    ++count_;
    for (int i = 0; i < 20; ++i) pal::spin_hint();
    inside_ = false;
  }

  std::optional<ref<teller>> other_;
  volatile bool inside_ = false;
  bool met_ = false;
  int count_ = 0;
};

template <class T>
boost::system::error_code code_of(const result<T>& outcome) {
  return outcome.has_error() ? outcome.error() : boost::system::error_code{};
}

task<> until_idle() { co_await sleep_for(1ms); }

using lines = std::vector<std::string>;

// What it has noted is complete then.
template <class A>
task<> end(ref<A> which) {
  which.stop();
  co_await which.ended();
}

ref<host> spawn_host(const ref<supervisor>* root, diary& notes) {
  if (root != nullptr) return spawn_child<host>(*root, std::ref(notes));
  return spawn<host>(notes);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(side_tasks_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(run_beside_the_mail_wherever_they_were_started) {
  for (place where : {place::plain, place::first_segment, place::later_segment}) {
    diary notes;
    rt.block_on([&]() -> task<> {
      event go;
      auto h = spawn<host>(notes);
      co_await h.ask(start{where, &go});
      co_await until_idle();
      BOOST_TEST((notes.lines == lines{"side task"}));
      BOOST_TEST((co_await h.ask(total{})) == 0);  // It takes mail meanwhile.
      go.set();
      co_await until_idle();
      BOOST_TEST((co_await h.ask(total{})) == 1);
      BOOST_TEST((notes.lines == lines{"side task", "side task gone"}));
      co_await end(h);
    });
  }
}

BOOST_AUTO_TEST_CASE(are_started_by_on_start_too) {
  class eager : public actor {
  public:
    void on_start() {
      self().spawn([this]() -> task<> {
        co_await yield();
        ++sum_;
      });
    }
    int on(total) { return sum_; }

  private:
    int sum_ = 0;
  };
  class eager_later : public actor {
  public:
    task<> on_start() {
      co_await yield();
      self().spawn([this]() -> task<> {
        co_await yield();
        ++sum_;
      });
    }
    int on(total) { return sum_; }

  private:
    int sum_ = 0;
  };
  rt.block_on([]() -> task<> {
    auto a = spawn<eager>();
    auto b = spawn<eager_later>();
    co_await until_idle();
    BOOST_TEST((co_await a.ask(total{})) == 1);
    BOOST_TEST((co_await b.ask(total{})) == 1);
  });
}

BOOST_AUTO_TEST_CASE(go_on_while_a_handler_waits) {
  diary notes;
  rt.block_on([&]() -> task<> {
    event go, open;
    auto h = spawn<host>(notes);
    co_await h.ask(start{place::plain, &go});
    auto holding = spawn([h, &open]() -> task<int> { co_return co_await h.ask(hold{&open}); });
    co_await until_idle();
    go.set();
    co_await until_idle();
    BOOST_TEST(notes.lines.back() == "side task gone");
    open.set();
    BOOST_TEST((co_await holding) == 1);
    co_await end(h);
  });
}

BOOST_AUTO_TEST_CASE(a_handler_that_wakes_one_and_ends_does_not_leave_it_behind) {
  diary notes;
  rt.block_on([&]() -> task<> {
    auto h = spawn<host>(notes);
    co_await h.ask(start_and_wake{});
    co_await until_idle();
    BOOST_TEST((notes.lines == lines{"woken"}));
    co_await end(h);
  });
}

BOOST_AUTO_TEST_CASE(are_ended_before_the_state_goes) {
  for (int how = 0; how < 3; ++how) {
    diary notes;
    rt.block_on([&]() -> task<> {
      auto root = spawn<supervisor>();
      auto h = spawn_host(how == 2 ? &root : nullptr, notes);
      co_await h.ask(start{place::plain, nullptr});
      co_await until_idle();
      if (how == 0) h.stop();
      if (how != 0) h.kill();
      co_await until_idle();
      lines wanted{"side task", "side task gone", "destroyed"};
      BOOST_TEST(notes.lines == wanted, boost::test_tools::per_element());
      if (how != 2) {
        co_await h.ended();
      } else {
        BOOST_TEST((co_await h.ask(total{})) == 0);
      }
      root.stop();
      co_await root.ended();
    });
  }
}

BOOST_AUTO_TEST_CASE(one_that_starts_another_while_it_is_stopped_ends_with_it) {
  diary notes;
  rt.block_on([&]() -> task<> {
    auto h = spawn<host>(notes);
    co_await h.ask(begin_stubborn{});
    co_await until_idle();
    h.stop();
    co_await h.ended();
    BOOST_TEST(notes.lines.back() == "destroyed");
  });
}

BOOST_AUTO_TEST_CASE(a_failure_ends_the_actor_and_what_it_handles) {
  diary notes;
  test::collected_failures failures;
  rt.block_on([&]() -> task<> {
    event when, never;
    auto h = spawn<host>(notes);
    co_await h.ask(begin_failing{&when});
    auto held = spawn([&, h]() -> task<boost::system::error_code> {
      co_return code_of(co_await h.ask(hold{&never}).as_result());
    });
    auto queued = spawn([h]() -> task<boost::system::error_code> {
      co_return code_of(co_await h.ask(total{}).as_result());
    });
    co_await until_idle();
    when.set();
    BOOST_TEST(((co_await held) == ask_errc::receiver_failed));
    BOOST_TEST(((co_await queued) == ask_errc::receiver_gone));
    exit_reason why = co_await h.ended();
    BOOST_TEST((why.kind == exit_kind::failed));
  });
  BOOST_REQUIRE(failures.texts().size() == 1u);
  BOOST_TEST(failures.texts()[0] == "of the side task");
}

// The side task's error does not outlive the incarnation, whatever that ended for.
BOOST_AUTO_TEST_CASE(a_failure_beside_another_one_is_reported_and_forgotten) {
  for (bool is_killed : {false, true}) {
    diary notes;
    test::collected_failures failures;
    rt.block_on([&]() -> task<> {
      event when;
      auto root = spawn<supervisor>();
      auto h = spawn_child<host>(root, std::ref(notes));
      co_await h.ask(begin_failing{&when});
      auto asking = spawn([h]() -> task<> { (void)co_await h.ask(hold_and_throw{}).as_result(); });
      co_await until_idle();
      when.set();
      if (is_killed) h.kill();
      co_await asking;
      co_await until_idle();
      BOOST_TEST((co_await h.ask(total{})) == 0);
      BOOST_TEST((notes.lines == lines{"destroyed"}));  // Once.
      root.stop();
      co_await h.ended();
    });
    BOOST_TEST(failures.texts() == lines{"of the side task"}, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(keep_an_unreachable_actor_alive_until_they_have_ended) {
  diary notes;
  rt.block_on([&]() -> task<> {
    event go;
    std::optional<ref<host>> h = spawn<host>(notes);
    co_await h->ask(start{place::plain, &go});
    h.reset();
    co_await until_idle();
    BOOST_TEST((notes.lines == lines{"side task"}));
    go.set();
    co_await until_idle();
    BOOST_TEST((notes.lines == lines{"side task", "side task gone", "destroyed"}));
  });
}

BOOST_AUTO_TEST_CASE(the_end_of_a_runtime_destroys_them) {
  diary notes;
  event never;
  auto owned = std::make_shared<int>(0);
  {
    runtime_config one;
    one.workers = 1;  // The task below looks at what the side task notes.
    runtime other{one};
    auto body = [&]() -> task<> {
      auto h = spawn<host>(notes);
      co_await h.ask(start{place::plain, &never});
      spawn([h, owned, &never]() -> task<> { (void)co_await h.ask(hold{&never}); }).detach();
      while (notes.lines.empty()) co_await yield();
      co_await yield();
    };
    other.block_on(body);
  }
  BOOST_TEST(owned.use_count() == 1);
  BOOST_TEST((notes.lines == lines{"side task", "side task gone", "destroyed"}));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(side_tasks_in_turns_, test::two_workers)

BOOST_AUTO_TEST_CASE(never_at_the_same_time_as_a_handler) {
  for (std::size_t round = 0; round < test::rounds(100); ++round) {
    rt.block_on([]() -> task<> {
      auto other = spawn<teller>();
      auto t = spawn<teller>(other);
      for (int i = 0; i < 4; ++i) co_await t.send(teller::begin{50});
      for (int i = 0; i < 20; ++i) {
        co_await t.send(teller::give{});
        co_await t.send(teller::give_slowly{});
        (void)co_await t.ask(teller::echo{});
      }
      teller::sums seen{};
      while (seen.count < 200 + 80 && !seen.met) seen = co_await t.ask(teller::tell{});
      BOOST_REQUIRE(!seen.met);
      BOOST_REQUIRE(seen.count == 280);
    });
  }
}

// Goal:   a handler that is woken before the turn has left it may begin a side task: the two still
//         get turns, one at a time.
BOOST_AUTO_TEST_CASE(a_handler_that_is_faster_than_the_turn_that_leaves_it_may_begin_one) {
  for (std::size_t round = 0; round < test::rounds(20'000); ++round) {
    rt.block_on([]() -> task<> {
      auto t = spawn<teller>();
      co_await t.ask(teller::begin_late{});
      teller::sums seen{};
      while (seen.count < 4 && !seen.met) seen = co_await t.ask(teller::tell{});
      BOOST_REQUIRE(!seen.met);
    });
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
