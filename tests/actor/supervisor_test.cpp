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
#include <troupe/sync/event.hpp>

#include <collected_failures.hpp>
#include <sched/virtual_worker.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

struct add {
  int amount;
};
struct total {};
struct crash {};
struct wait_for {
  event* until;
};

// What a worker notes of its lives; outlives it.
struct diary {
  std::vector<std::string> lines;
  int constructed = 0;
  int fail_in_constructor = 0;  // That often from the second construction on.
};

class accountant : public actor {
public:
  explicit accountant(diary& d, std::string name = "a") : diary_{&d}, name_{std::move(name)} {
    ++d.constructed;
    if (d.constructed > 1 && d.fail_in_constructor > 0) {
      --d.fail_in_constructor;
      throw std::runtime_error{"no ink"};
    }
  }
  ~accountant() { note("destroyed"); }
  void on_start() { note("started"); }
  void on_stop() { note("stopping"); }
  void on(add m) { sum_ += m.amount; }
  int on(total) { return sum_; }
  int on(crash) { throw std::runtime_error{"crashed"}; }
  task<int> on(wait_for m) {
    co_await m.until->wait();
    co_return sum_;
  }

private:
  void note(const char* what) { diary_->lines.push_back(name_ + " " + what); }

  diary* diary_;
  std::string name_;
  int sum_ = 0;
};

// Counts what it hears of others.
class observer : public actor {
public:
  explicit observer(std::vector<std::string>& heard) : heard_{&heard} {}
  void on(ref<accountant> whom) { self(this).monitor(whom); }
  void on(actor_id whom) { self(this).demonitor(whom); }
  void on(down d) {
    heard_->push_back(d.name + ": " + to_string(d.why) + (d.restarts ? ", restarts" : ""));
  }

private:
  std::vector<std::string>* heard_;
};

// Sends something to another actor, and ends.
class peer : public actor {
public:
  explicit peer(ref<protocol<add>> to) : to_{std::move(to)} {}
  void on(total) {
    send_all();
    self().stop();
  }
  void on(crash) {
    send_all();
    throw std::runtime_error{"crashed"};
  }

private:
  void send_all() {
    for (int i = 0; i < 3; ++i) BOOST_TEST(to_.try_send(add{i}).has_value());
  }
  ref<protocol<add>> to_;
};

template <class T>
boost::system::error_code code_of(const result<T>& outcome) {
  return outcome.has_error() ? outcome.error() : boost::system::error_code{};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(supervisor_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(life_restart) {
  diary notes;
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>();
    auto a = spawn_child<accountant>(root, std::ref(notes));
    co_await a.send(add{5});
    auto failed = a.ask(crash{});
    BOOST_TEST((code_of(co_await std::move(failed).as_result()) == ask_errc::receiver_failed));
    // The address is valid, the state is new.
    BOOST_TEST((co_await a.ask(total{})) == 0);
    std::vector<std::string> wanted{"a started", "a stopping", "a destroyed", "a started"};
    BOOST_TEST(notes.lines == wanted, boost::test_tools::per_element());
    root.stop();
    exit_reason why = co_await a.ended();
    BOOST_TEST((why.kind == exit_kind::stopped));
  });
}

BOOST_AUTO_TEST_CASE(life_restart_keeps_mail_that_was_not_begun) {
  diary notes;
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>();
    auto a = spawn_child<accountant>(root, child_options{{.capacity = 8}}, std::ref(notes));
    BOOST_TEST(a.try_send(add{1}).has_value());
    BOOST_TEST(a.try_send(crash{}).has_value());
    BOOST_TEST(a.try_send(add{2}).has_value());
    BOOST_TEST(a.try_send(crash{}).has_value());
    BOOST_TEST(a.try_send(add{4}).has_value());
    BOOST_TEST((co_await a.ask(total{})) == 4);
    BOOST_TEST(notes.constructed == 3);
    // All of its room is there again.
    for (int i = 0; i < 8; ++i) BOOST_TEST(a.try_send(add{1}).has_value());
    BOOST_TEST(!a.try_send(add{1}).has_value());
    BOOST_TEST((co_await a.ask(total{})) == 12);
    root.stop();
    co_await a.ended();
  });
}

BOOST_AUTO_TEST_CASE(life_restart_happens_by_the_kind_of_the_child) {
  diary notes;
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>(supervision{.max_restarts = 100});
    auto with = [&](child_kind kind) {
      return spawn_child<accountant>(root, child_options{{}, kind}, std::ref(notes));
    };
    auto permanent = with(child_kind::permanent), transient = with(child_kind::transient),
         temporary = with(child_kind::temporary);
    for (auto* each : {&permanent, &transient}) {
      co_await each->send(add{1});
      BOOST_TEST((co_await each->ask(total{})) == 1);
      each->kill();
      while ((co_await each->ask(total{})) != 0) co_await sleep_for(1ms);  // It has begun anew.
    }
    (void)co_await temporary.ask(crash{}).as_result();
    exit_reason gone = co_await temporary.ended();
    BOOST_TEST((gone.kind == exit_kind::failed));
    // Asked to stop, only the permanent one comes back.
    transient.stop();
    exit_reason stopped = co_await transient.ended();
    BOOST_TEST((stopped.kind == exit_kind::stopped));
    int before = notes.constructed;
    permanent.stop();
    while (notes.constructed == before) co_await sleep_for(1ms);
    BOOST_TEST((co_await permanent.ask(total{})) == 0);
    root.stop();
    co_await permanent.ended();
  });
}

BOOST_AUTO_TEST_CASE(life_restart_one_for_all_and_rest_for_one) {
  for (auto how : {restart_strategy::one_for_all, restart_strategy::rest_for_one}) {
    diary notes;
    rt.block_on([&]() -> task<> {
      auto root = spawn<supervisor>(supervision{.strategy = how});
      auto a = spawn_child<accountant>(root, std::ref(notes), "a");
      auto b = spawn_child<accountant>(root, std::ref(notes), "b");
      auto c = spawn_child<accountant>(root, std::ref(notes), "c");
      for (auto* each : {&a, &b, &c}) co_await each->send(add{1});
      BOOST_TEST((co_await a.ask(total{})) == 1);
      BOOST_TEST((co_await b.ask(total{})) == 1);
      // Each is in a handler, with mail behind it.
      event never;
      std::vector<join_handle<void>> broken_off;
      for (auto* each : {&a, &c}) {
        broken_off.push_back(spawn([&never, each]() -> task<> {
          (void)co_await each->ask(wait_for{&never}).as_result();
        }));
      }
      co_await sleep_for(1ms);
      for (auto* each : {&a, &c}) BOOST_TEST(each->try_send(add{8}).has_value());
      notes.lines.clear();
      BOOST_TEST(b.try_send(crash{}).has_value());
      BOOST_TEST(b.try_send(add{8}).has_value());
      co_await sleep_for(1ms);
      bool all = how == restart_strategy::one_for_all;
      BOOST_TEST(broken_off[0].done() == all);
      never.set();
      for (auto& each : broken_off) co_await each;
      // The mail of all of them was kept; the message that b failed on is not tried again.
      BOOST_TEST((co_await a.ask(total{})) == (all ? 8 : 9));
      BOOST_TEST((co_await b.ask(total{})) == 8);
      BOOST_TEST((co_await c.ask(total{})) == 8);
      BOOST_TEST(notes.lines.back() == "c started");
      root.stop();
      co_await a.ended();
    });
  }
}

// A sibling's handler that waits is stopped; it does not hold the restart up.
BOOST_AUTO_TEST_CASE(life_restart_one_for_all_breaks_off_what_siblings_wait_for) {
  diary notes;
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>(supervision{.strategy = restart_strategy::one_for_all});
    auto a = spawn_child<accountant>(root, std::ref(notes), "a");
    auto b = spawn_child<accountant>(root, std::ref(notes), "b");
    event never;
    auto asking = spawn([&]() -> task<> {
      BOOST_TEST(
          (code_of(co_await a.ask(wait_for{&never}).as_result()) == ask_errc::receiver_failed));
    });
    while (!asking.done() && notes.lines.size() < 2) co_await sleep_for(1ms);
    co_await sleep_for(1ms);
    (void)co_await b.ask(crash{}).as_result();
    co_await asking;
    BOOST_TEST((co_await a.ask(total{})) == 0);
    root.stop();
    co_await a.ended();
  });
}

BOOST_AUTO_TEST_CASE(life_restart_gives_up_after_too_many) {
  diary notes;
  test::collected_failures failures;
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>();
    auto a = spawn_child<accountant>(root, std::ref(notes));
    auto b = spawn_child<accountant>(root, std::ref(notes), "b");
    for (int i = 0; i < 4; ++i) {
      BOOST_TEST((code_of(co_await a.ask(crash{}).as_result()) == ask_errc::receiver_failed));
    }
    exit_reason why = co_await root.ended();
    BOOST_TEST((why.kind == exit_kind::failed));
    BOOST_TEST(a.has_ended());
    BOOST_TEST(b.has_ended());
    BOOST_TEST((code_of(co_await a.ask(total{}).as_result()) == ask_errc::receiver_gone));
  });
  BOOST_TEST(notes.constructed == 5);  // a and b, and three restarts.
  BOOST_REQUIRE(failures.texts().size() == 1u);
  BOOST_TEST(failures.texts()[0].find("after 3 restarts within 5 s: failed: crashed") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(life_restart_counts_only_those_within_the_time) {
  diary notes;
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>();
    auto a = spawn_child<accountant>(root, std::ref(notes));
    for (int i = 0; i < 10; ++i) {
      (void)co_await a.ask(crash{}).as_result();
      co_await sleep_for(2500ms);
    }
    BOOST_TEST((co_await a.ask(total{})) == 0);
    root.stop();
    co_await a.ended();
  });
}

BOOST_AUTO_TEST_CASE(life_restart_waits_longer_for_each_failure_in_a_row) {
  diary notes;
  rt.block_on([&]() -> task<> {
    auto root =
        spawn<supervisor>(supervision{.max_restarts = 100, .min_delay = 100ms, .max_delay = 300ms});
    auto a = spawn_child<accountant>(root, std::ref(notes));
    std::vector<long> waited_ms;
    for (int i = 0; i < 5; ++i) {
      time_point before = now();
      (void)co_await a.ask(crash{}).as_result();
      (void)co_await a.ask(total{});
      waited_ms.push_back(
          std::chrono::duration_cast<std::chrono::milliseconds>(now() - before).count());
    }
    std::vector<long> wanted{0, 100, 200, 300, 300};
    BOOST_TEST(waited_ms == wanted, boost::test_tools::per_element());
    root.stop();
    co_await a.ended();
  });
}

BOOST_AUTO_TEST_CASE(life_restart_takes_a_throwing_constructor_as_a_failure) {
  diary notes;
  notes.fail_in_constructor = 2;
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>();
    auto a = spawn_child<accountant>(root, std::ref(notes));
    BOOST_TEST(a.try_send(crash{}).has_value());
    BOOST_TEST(a.try_send(add{3}).has_value());
    BOOST_TEST((co_await a.ask(total{})) == 3);
    BOOST_TEST(notes.constructed == 4);
    root.stop();
    co_await a.ended();
  });
}

// An inner supervisor that gives up is a child that has failed: it and all below begin anew.
BOOST_AUTO_TEST_CASE(life_restart_escalates_to_the_next_supervisor) {
  diary notes;
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>();
    auto inner = spawn_child<supervisor>(root, supervision{.max_restarts = 1});
    auto a = spawn_child<accountant>(inner, std::ref(notes), "a");
    auto b = spawn_child<accountant>(inner, std::ref(notes), "b");
    co_await b.send(add{1});
    BOOST_TEST((co_await b.ask(total{})) == 1);
    for (int i = 0; i < 2; ++i) (void)co_await a.ask(crash{}).as_result();
    BOOST_TEST((co_await a.ask(total{})) == 0);
    while ((co_await b.ask(total{})) != 0) co_await sleep_for(1ms);
    BOOST_TEST(!inner.has_ended());
    root.stop();
    exit_reason why = co_await inner.ended();
    BOOST_TEST((why.kind == exit_kind::stopped));
    BOOST_TEST(a.has_ended());
  });
}

BOOST_AUTO_TEST_CASE(life_unreachable_a_supervisor_ends_with_its_last_ref_and_its_children_first) {
  diary notes;
  rt.block_on([&]() -> task<> {
    std::optional<ref<supervisor>> root = spawn<supervisor>();
    auto a = spawn_child<accountant>(*root, std::ref(notes), "a");
    auto b = spawn_child<accountant>(*root, std::ref(notes), "b");
    (void)co_await b.ask(total{});
    (void)co_await a.ask(total{});
    notes.lines.clear();
    root.reset();
    co_await a.ended();
    std::vector<std::string> wanted{"b stopping", "b destroyed", "a stopping", "a destroyed"};
    BOOST_TEST(notes.lines == wanted, boost::test_tools::per_element());
  });
}

BOOST_AUTO_TEST_CASE(a_killed_supervisor_takes_its_children_along) {
  diary notes;
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>();
    auto a = spawn_child<accountant>(root, std::ref(notes));
    (void)co_await a.ask(total{});
    root.kill();
    exit_reason why = co_await a.ended();
    BOOST_TEST((why.kind == exit_kind::killed));
    auto late = spawn_child<accountant>(root, std::ref(notes));  // It ends at once.
    co_await late.ended();
    BOOST_TEST(late.has_ended());
  });
}

BOOST_AUTO_TEST_CASE(monitor_hears_of_each_incarnation_and_of_the_end) {
  diary notes;
  std::vector<std::string> heard;
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>();
    auto a = spawn_child<accountant>(root, child_options{{.name = "books"}}, std::ref(notes));
    auto watching = spawn<observer>(heard);
    co_await watching.send(a);
    while (heard.empty()) {
      (void)co_await a.ask(crash{}).as_result();
      co_await sleep_for(1ms);
    }
    a.kill();
    root.stop();
    co_await a.ended();
    while (heard.back().find("restarts") != std::string::npos) co_await sleep_for(1ms);
    BOOST_TEST(heard.front() == "books: failed: crashed, restarts");
    // One that has ended is told of at once.
    std::size_t before = heard.size();
    co_await watching.send(a);
    while (heard.size() == before) co_await sleep_for(1ms);
    BOOST_TEST(heard.back().find("restarts") == std::string::npos);
  });
}

// Goal:   a down does not overtake what its actor has sent last.
// Method: its own handler sends, and ends it; it ends while the receiver has begun none of that.
BOOST_AUTO_TEST_CASE(order_fifo_down_comes_after_the_mail_of_who_has_ended) {
  class hub : public actor {
  public:
    explicit hub(std::vector<std::string>& heard) : heard_{&heard} {}
    void on(const ref<peer>& m) { self(this).monitor(m); }
    task<> on(wait_for m) { co_await m.until->wait(); }
    void on(add m) { heard_->push_back(std::to_string(m.amount)); }
    void on(down) { heard_->push_back("down"); }
    int on(total) { return 0; }

  private:
    std::vector<std::string>* heard_;
  };
  for (bool ends_by_failure : {false, true}) {
    test::collected_failures failures;
    std::vector<std::string> heard;
    rt.block_on([&]() -> task<> {
      auto h = spawn<hub>(heard);
      auto p = spawn<peer>(h);
      co_await h.send(p);
      (void)co_await h.ask(total{});
      event open;
      co_await h.send(wait_for{&open});
      if (ends_by_failure) {
        co_await p.send(crash{});
      } else {
        co_await p.send(total{});
      }
      co_await p.ended();
      BOOST_TEST(heard.empty());
      open.set();
      (void)co_await h.ask(total{});
    });
    std::vector<std::string> wanted{"0", "1", "2", "down"};
    BOOST_TEST(heard == wanted, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(monitor_that_was_ended_is_not_heard_of) {
  diary notes;
  std::vector<std::string> heard;
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>();
    auto a = spawn_child<accountant>(root, std::ref(notes));
    auto watching = spawn<observer>(heard);
    co_await watching.send(a);
    co_await watching.send(a.id());
    root.stop();
    co_await a.ended();
    watching.stop();
    co_await watching.ended();
  });
  BOOST_TEST(heard.empty());
}

// What has ended well leaves nothing behind in those who were linked with it.
BOOST_AUTO_TEST_CASE(link_with_one_that_ends_well_is_gone) {
  class hub : public actor {
  public:
    void on(ref<hub> other) { self(this).link(other); }
    int on(total) {
      int count = 0;
      self_block().extension_if_any()->monitors.for_each([&](auto&) { ++count; });
      return count;
    }
  };
  rt.block_on([]() -> task<> {
    auto center = spawn<hub>();
    for (int i = 0; i < 100; ++i) {
      auto spoke = spawn<hub>();
      co_await center.send(spoke);
      co_await sleep_for(1us);
      spoke.stop();
      co_await spoke.ended();
    }
    co_await sleep_for(1us);
    BOOST_TEST((co_await center.ask(total{})) == 0);
  });
}

BOOST_AUTO_TEST_CASE(link_ties_two_fates_together) {
  class tied : public actor {
  public:
    void on(ref<tied> other) { self(this).link(other); }
    void on(crash) { throw std::runtime_error{"crashed"}; }
    int on(total) { return 1; }
  };
  test::collected_failures failures;
  rt.block_on([&]() -> task<> {
    for (bool who_linked_fails : {true, false}) {
      auto a = spawn<tied>(), b = spawn<tied>();
      co_await a.send(b);
      (void)co_await a.ask(total{});
      (void)co_await b.ask(total{});
      ref<tied>& failing = *(who_linked_fails ? &a : &b);
      co_await failing.send(crash{});
      exit_reason of_a = co_await a.ended(), of_b = co_await b.ended();
      BOOST_TEST((of_a.kind == (who_linked_fails ? exit_kind::failed : exit_kind::killed)));
      BOOST_TEST((of_b.kind == (who_linked_fails ? exit_kind::killed : exit_kind::failed)));
    }
    auto a = spawn<tied>(), b = spawn<tied>();
    co_await a.send(b);
    (void)co_await a.ask(total{});
    a.stop();  // A normal end leaves the other alone.
    co_await a.ended();
    BOOST_TEST((co_await b.ask(total{})) == 1);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
