#include <algorithm>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/supervisor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>

#include <actor/fragile.hpp>
#include <collected_failures.hpp>
#include <sched/virtual_worker.hpp>

namespace troupe {

using namespace std::chrono_literals;
using test::children_of, test::counts, test::crash, test::crash_later, test::fragile, test::ping,
    test::silence;

namespace {

using lines = std::vector<std::string>;

struct wait_long {};

// Notes its life, and takes its time at both ends.
class slow : public actor {
public:
  slow(lines& log, std::string name) : log_{&log}, name_{std::move(name)} {}
  ~slow() { note("destroyed"); }
  task<> on_start() {
    co_await sleep_for(10ms);
    note("started");
  }
  task<> on_stop() {
    note("stopping");
    co_await sleep_for(10ms);
    note("stopped");
  }
  int on(ping) { return 1; }
  void on(crash) { throw std::runtime_error{"crashed"}; }
  task<> on(wait_long) { co_await sleep_for(1h); }

private:
  void note(const char* what) { log_->push_back(name_ + " " + what); }
  lines* log_;
  std::string name_;
};

template <class T>
boost::system::error_code code_of(const result<T>& outcome) {
  return outcome.has_error() ? outcome.error() : boost::system::error_code{};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(life_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(life_restart_a_group_whose_first_child_fails_at_birth_comes_back_whole) {
  silence quiet;
  for (auto how : {restart_strategy::one_for_all, restart_strategy::rest_for_one}) {
    counts c;
    rt.block_on([&]() -> task<> {
      auto root = spawn<supervisor>(supervision{.strategy = how, .max_restarts = 100});
      auto all = children_of(root, c, 3);
      c.births_to_fail.store(1);
      (void)co_await all[0].ask(crash{}).as_result();
      for (auto& each : all) {
        auto answer = co_await each.ask(ping{}, within(1min)).as_result();
        BOOST_TEST(answer.has_value());
      }
      root.kill();
      for (auto& each : all) co_await each.ended();
    });
  }
}

BOOST_AUTO_TEST_CASE(life_restart_lets_on_stop_of_a_sibling_run_to_its_end) {
  silence quiet;
  lines log;
  test::collected_failures failures;
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>(supervision{.strategy = restart_strategy::one_for_all});
    auto a = spawn_child<slow>(root, std::ref(log), "a");
    auto b = spawn_child<slow>(root, std::ref(log), "b");
    (void)co_await a.ask(ping{});
    (void)co_await b.ask(ping{});
    log.clear();
    co_await b.send(crash{});
    (void)co_await b.ask(ping{});
    BOOST_TEST(std::count(log.begin(), log.end(), "a stopped") == 1);
    BOOST_TEST(std::count(log.begin(), log.end(), "b stopped") == 1);
    root.stop();
    co_await root.ended();
  });
  BOOST_TEST(failures.texts().empty());
}

BOOST_AUTO_TEST_CASE(life_restart_keeps_the_delay_of_a_child_while_another_goes) {
  silence quiet;
  counts c;
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>(supervision{.max_restarts = 100, .min_delay = 100ms});
    auto a = spawn_child<fragile>(root, std::ref(c));
    auto gone = spawn_child<fragile>(root, child_options{{}, child_kind::temporary}, std::ref(c));
    for (int i = 0; i < 2; ++i) (void)co_await a.ask(crash{}).as_result();
    gone.stop();
    co_await gone.ended();
    time_point before = now();
    (void)co_await a.ask(ping{});
    BOOST_CHECK((now() - before > 90ms));
    root.stop();
    co_await root.ended();
  });
}

// Goal:   the end of an earlier delay does not cut that of a later failure short, nor does a
// failure
//         that has none.
BOOST_AUTO_TEST_CASE(life_restart_a_group_waits_for_the_longest_delay) {
  silence quiet;
  counts c;
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>(supervision{
        .strategy = restart_strategy::rest_for_one, .max_restarts = 100, .min_delay = 100ms});
    auto all = children_of(root, c, 3);
    auto crash_one = [](ref<fragile> which) -> task<> {
      (void)co_await which.ask(crash{}).as_result();
    };
    co_await crash_one(all[0]);
    co_await crash_one(all[0]);         // 100 ms.
    (void)co_await all[0].ask(ping{});  // It is back.
    (void)co_await all[2].ask(ping{});
    co_await crash_one(all[2]);
    (void)co_await all[2].ask(ping{});
    co_await crash_one(all[2]);  // 100 ms, for that one alone.
    co_await sleep_for(50ms);
    time_point before = now();
    co_await crash_one(all[0]);  // 200 ms; the other's delay ends within them.
    (void)co_await all[0].ask(ping{});
    BOOST_CHECK((now() - before >= 200ms && now() - before < 210ms));
    (void)co_await all[1].ask(ping{});
    // The first failure of one that has none of its own.
    co_await crash_one(all[2]);
    before = now();
    co_await crash_one(all[1]);
    (void)co_await all[2].ask(ping{});
    BOOST_CHECK((now() - before >= 200ms));
    root.stop();
    co_await root.ended();
  });
}

BOOST_AUTO_TEST_CASE(a_monitor_that_on_stop_makes_ends_with_the_actor) {
  class late : public actor {
  public:
    late(ref<fragile> whom, int& heard) : whom_{std::move(whom)}, heard_{&heard} {}
    void on_stop() {
      self(this).monitor(whom_);
      whom_ = ref<fragile>{whom_};
    }
    void on(const down&) { ++*heard_; }

  private:
    ref<fragile> whom_;
    int* heard_;
  };
  counts c;
  int heard_by_first = 0, heard_by_others = 0;
  rt.block_on([&]() -> task<> {
    auto victim = spawn<fragile>(c);
    {
      auto first = spawn<late>(victim, heard_by_first);
      first.stop();
      co_await first.ended();
    }
    co_await sleep_for(1ms);
    std::vector<ref<late>> others;  // One of them has the place of the first.
    for (int i = 0; i < 100; ++i) others.push_back(spawn<late>(victim, heard_by_others));
    victim.stop();
    co_await victim.ended();
    co_await sleep_for(1ms);
  });
  BOOST_TEST(heard_by_first + heard_by_others == 0);
}

BOOST_AUTO_TEST_CASE(stop_and_kill_find_each_phase_of_a_life) {
  silence quiet;
  for (bool is_supervised : {false, true}) {
    for (bool is_killed : {false, true}) {
      lines log;
      test::collected_failures failures;
      rt.block_on([&]() -> task<> {
        auto root = spawn<supervisor>();
        auto make = [&] {
          child_options once{{}, child_kind::temporary};
          if (is_supervised) return spawn_child<slow>(root, once, std::ref(log), "s");
          return spawn<slow>(log, "s");
        };
        auto end = [&](const ref<slow>& which) { is_killed ? which.kill() : which.stop(); };
        // While on_start waits, while a handler waits, while on_stop waits.
        auto starting = make();
        co_await sleep_for(5ms);
        end(starting);
        end(starting);
        exit_reason why = co_await starting.ended();
        BOOST_TEST((why.kind == (is_killed ? exit_kind::killed : exit_kind::stopped)));
        lines wanted{"s started", "s stopping", "s stopped", "s destroyed"};
        if (is_killed) wanted.erase(wanted.begin(), wanted.end() - 1);
        BOOST_TEST(log == wanted, boost::test_tools::per_element());
        log.clear();

        auto handling = make();
        co_await handling.send(wait_long{});
        co_await sleep_for(20ms);
        end(handling);
        co_await sleep_for(1ms);
        BOOST_TEST(handling.has_ended() == is_killed);
        handling.kill();
        co_await handling.ended();
        BOOST_TEST(log.back() == "s destroyed");
        log.clear();

        auto stopping = make();
        co_await sleep_for(20ms);
        stopping.stop();
        co_await sleep_for(5ms);
        if (!is_supervised) {
          auto late = co_await stopping.ask(ping{}).as_result();
          BOOST_TEST((code_of(late) == ask_errc::receiver_gone));
        }
        end(stopping);
        co_await stopping.ended();
        wanted = lines{"s started", "s stopping"};
        if (!is_killed) wanted.emplace_back("s stopped");
        wanted.emplace_back("s destroyed");
        BOOST_TEST(log == wanted, boost::test_tools::per_element());
        root.stop();
        co_await root.ended();
      });
      BOOST_TEST(failures.texts().empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(an_exception_out_of_on_stop_is_reported_and_changes_nothing) {
  class bitter : public actor {
  public:
    explicit bitter(int& births) { ++births; }
    void on_stop() { throw std::runtime_error{"bitter end"}; }
    int on(ping) { return 1; }
    void on(crash) { throw std::runtime_error{"crashed"}; }
  };
  silence quiet;
  int births = 0;
  test::collected_failures failures;
  rt.block_on([&]() -> task<> {
    auto alone = spawn<bitter>(births);
    alone.stop();
    exit_reason why = co_await alone.ended();
    BOOST_TEST((why.kind == exit_kind::stopped));
    auto root = spawn<supervisor>();
    auto child = spawn_child<bitter>(root, std::ref(births));
    co_await child.send(crash{});
    BOOST_TEST((co_await child.ask(ping{})) == 1);
    root.stop();
    co_await child.ended();
  });
  BOOST_TEST(births == 3);
  BOOST_TEST(failures.texts() == (lines{"bitter end", "bitter end", "bitter end"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_constructor_spawns_what_ends_with_each_incarnation) {
  class parent : public actor {
  public:
    explicit parent(counts& c) : mine_{spawn<fragile>(c)} {}
    task<int> on(ping) { co_return co_await mine_.ask(ping{}); }
    void on(crash) { throw std::runtime_error{"crashed"}; }

  private:
    ref<fragile> mine_;
  };
  silence quiet;
  counts c;
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>();
    auto p = spawn_child<parent>(root, std::ref(c));
    for (int i = 0; i < 3; ++i) {
      BOOST_TEST((co_await p.ask(ping{})) == 1);
      co_await p.send(crash{});
    }
    BOOST_TEST((co_await p.ask(ping{})) == 1);
    co_await sleep_for(1s);
    BOOST_TEST(c.alive.load() == 1);
    root.stop();
    co_await root.ended();
    co_await sleep_for(1ms);
  });
  BOOST_TEST(c.births.load() == 4);
  BOOST_TEST(c.alive.load() == 0);
}

BOOST_AUTO_TEST_CASE(a_kill_while_a_child_waits_for_its_delay_is_for_the_next_incarnation) {
  silence quiet;
  counts c;
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>(supervision{.max_restarts = 100, .min_delay = 100ms});
    auto a = spawn_child<fragile>(root, std::ref(c));
    for (int i = 0; i < 2; ++i) (void)co_await a.ask(crash{}).as_result();
    co_await sleep_for(10ms);
    BOOST_TEST(c.births.load() == 2);
    a.kill();
    co_await sleep_for(10ms);
    BOOST_TEST(c.births.load() == 2);  // It does not come back sooner.
    BOOST_TEST((co_await a.ask(ping{})) == 1);
    BOOST_TEST(!a.has_ended());
    root.stop();
    co_await root.ended();
  });
  BOOST_TEST(c.alive.load() == 0);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_supervisor_does_not_wait_for_delays) {
  silence quiet;
  counts c;
  rt.block_on([&]() -> task<> {
    auto root =
        spawn<supervisor>(supervision{.max_restarts = 100, .min_delay = 1h, .max_delay = 1h});
    auto a = spawn_child<fragile>(root, std::ref(c));
    for (int i = 0; i < 2; ++i) (void)co_await a.ask(crash{}).as_result();
    auto asking = spawn([a]() -> task<boost::system::error_code> {
      co_return code_of(co_await a.ask(ping{}).as_result());
    });
    co_await sleep_for(10ms);
    time_point before = now();
    root.stop();
    BOOST_TEST(((co_await asking) == ask_errc::receiver_gone));
    exit_reason why = co_await a.ended();
    BOOST_TEST((why.kind == exit_kind::failed));  // As it was.
    BOOST_CHECK((now() - before < 1s));
  });
}

BOOST_AUTO_TEST_CASE(refs_outlive_a_runtime_that_ends_over_paused_and_resting_actors) {
  class resting : public actor {
  public:
    explicit resting(counts& c) : counts_{&c} { c.alive.fetch_add(1); }
    ~resting() { counts_->alive.fetch_sub(1); }
    task<> on(wait_long) {
      self().spawn([]() -> task<> { co_await sleep_for(1h); });
      timer_ = self(this).send_after(1h, ping{});
      co_await sleep_for(1h);
    }
    void on(ping) {}

  private:
    counts* counts_;
    actor_timer timer_;
  };
  silence quiet;
  counts c;
  std::vector<ref<fragile>> paused;
  std::vector<ref<resting>> all_resting;
  std::vector<ref<slow>> all_slow;
  lines log;
  {
    test::virtual_worker other;
    auto body = [&]() -> task<> {
      auto root =
          spawn<supervisor>(supervision{.max_restarts = 100, .min_delay = 1h, .max_delay = 1h});
      paused = children_of(root, c, 2);
      for (int i = 0; i < 2; ++i) (void)co_await paused[0].ask(crash{}).as_result();
      for (bool is_pinned : {false, true}) {
        all_resting.push_back(spawn<resting>(actor_options{.pinned = is_pinned}, c));
        co_await all_resting.back().send(wait_long{});
        all_slow.push_back(spawn<slow>(actor_options{.pinned = is_pinned}, log, "s"));
        all_slow.push_back(spawn<slow>(actor_options{.pinned = is_pinned}, log, "s"));
        co_await all_slow.back().send(wait_long{});
      }
      co_await sleep_for(20ms);
      for (auto& each : all_slow) each.stop();
      co_await sleep_for(1ms);
    };
    other.rt.block_on(body);
  }
  BOOST_TEST(c.alive.load() == 0);
  for (auto& each : paused) {
    BOOST_TEST(each.has_ended());
    each.kill();
    BOOST_TEST((code_of(each.try_send(crash_later{})) == ask_errc::receiver_gone));
  }
  rt.block_on([&]() -> task<> {
    exit_reason why = co_await all_resting[0].ended();
    BOOST_TEST((why.kind == exit_kind::abandoned));
    BOOST_TEST((code_of(co_await paused[0].ask(ping{}).as_result()) == ask_errc::receiver_gone));
  });
}

// An actor that nobody knows ends in one step; what its destructor does with it is as at any end.
BOOST_AUTO_TEST_CASE(a_destructor_may_make_refs_of_its_actor) {
  class parting : public actor {
  public:
    explicit parting(std::vector<ref<parting>>& last) : last_{&last} {}
    ~parting() {
      ref<parting> here = self(this).address();
      self().stop();
      is_heard_ = !here.try_send(ping{}).has_error();
      if (is_heard_ || last_->empty()) last_->push_back(std::move(here));
    }
    void on(ping) {}

  private:
    std::vector<ref<parting>>* last_;
    bool is_heard_ = false;
  };
  counts c;
  std::vector<ref<parting>> last;
  rt.block_on([&]() -> task<> {
    for (int i = 0; i < 2; ++i) {  // The first one leaves its ref behind.
      weak_ref<parting> seen{spawn<parting>(last)};
      co_await sleep_for(1us);
      BOOST_TEST(seen.lock().has_value() == (i == 0));
      BOOST_TEST(last.size() == 1u);
      auto one = spawn<fragile>(c);
      auto other = spawn<fragile>(c);
      BOOST_TEST((one.id() != other.id()));
    }
    BOOST_TEST(last[0].has_ended());
    BOOST_TEST((code_of(last[0].try_send(ping{})) == ask_errc::receiver_gone));
    last.clear();
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
