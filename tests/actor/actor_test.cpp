#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/oneshot.hpp>
#include <troupe/task/failure.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <sched/virtual_worker.hpp>
#include <threads.hpp>
#include <thrown_misuse.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

struct add {
  std::int64_t amount;
};
struct total {
  using reply = std::int64_t;
};
struct crash {};
struct hold {
  event* until;
};
struct forget {};
struct late {
  int value;
};
struct tell_sum {
  oneshot_sender<std::int64_t> to;
};

class counter : public actor {
public:
  void on(add m) { sum_ += m.amount; }
  std::int64_t on(total) const { return sum_; }
  int on(crash) { throw std::runtime_error{"crashed"}; }
  task<std::int64_t> on(const hold& m) {
    co_await m.until->wait();
    co_return sum_;
  }
  void on(forget, reply<int>) {}
  void on(tell_sum m) { m.to.send(sum_); }
  void on(late m, reply<int> back) {
    if (kept_) kept_->answer(m.value);
    kept_.emplace(std::move(back));
  }

private:
  std::int64_t sum_ = 0;
  std::optional<reply<int>> kept_;
};

// Notes its life in a log that outlives it.
class diarist : public actor {
public:
  explicit diarist(std::vector<std::string>& log) : log_{&log} {}
  ~diarist() { log_->push_back("destroyed"); }
  task<> on_start() {
    log_->push_back("starting");
    co_await yield();
    log_->push_back("started");
  }
  task<> on_stop() {
    log_->push_back("stopping");
    co_await yield();
    log_->push_back("stopped");
  }
  void on(const std::string& text) { log_->push_back(text); }
  void on(crash) { throw std::runtime_error{"crashed"}; }

private:
  std::vector<std::string>* log_;
};

boost::system::error_code code_of(const auto& outcome) {
  return outcome.has_error() ? outcome.error() : boost::system::error_code{};
}

std::vector<std::string> lost;

struct caught_losses {
  caught_losses() {
    lost.clear();
    former = set_undelivered_sink(
        [](const undelivered& one) { lost.push_back(std::string{one.message}); });
  }
  ~caught_losses() { set_undelivered_sink(former); }
  undelivered_sink former;
};

std::vector<std::string> failures;

struct caught_failures {
  caught_failures() {
    failures.clear();
    former = set_failure_sink(
        [](const failure& seen) { failures.push_back(seen.actor + ": " + describe(seen.error)); });
  }
  ~caught_failures() { set_failure_sink(former); }
  failure_sink former;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(actor_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(ask_typed_gives_what_the_handler_returns) {
  rt.block_on([]() -> task<> {
    auto c = spawn<counter>();
    co_await c.send(add{2});
    BOOST_TEST(c.try_send(add{3}).has_value());
    std::int64_t sum = co_await c.ask(total{});
    BOOST_TEST(sum == 5);
    result<std::int64_t> again = co_await c.ask(total{}).as_result();
    BOOST_TEST(again.value() == 5);
    total question;
    BOOST_TEST((co_await c.ask(take(question))) == 5);
    BOOST_TEST((co_await c.ask<total>()) == 5);
  });
}

BOOST_AUTO_TEST_CASE(order_fifo) {
  rt.block_on([]() -> task<> {
    std::vector<std::string> log;
    {
      auto d = spawn<diarist>(log);
      for (int i = 0; i < 100; ++i) co_await d.send(std::to_string(i));
    }
    while (log.empty() || log.back() != "destroyed") co_await yield();
    BOOST_REQUIRE(log.size() == 105u);
    for (int i = 0; i < 100; ++i)
      BOOST_TEST(log[static_cast<std::size_t>(i) + 2] == std::to_string(i));
  });
}

BOOST_AUTO_TEST_CASE(a_life_begins_with_on_start_and_ends_with_on_stop) {
  rt.block_on([]() -> task<> {
    std::vector<std::string> log;
    auto d = spawn<diarist>(log);
    BOOST_TEST(d.try_send(std::string{"mail"}).has_value());
    while (log.size() < 3) co_await yield();
    d.stop();
    d.stop();  // Once is enough.
    while (log.back() != "destroyed") co_await yield();
    std::vector<std::string> wanted{"starting", "started", "mail",
                                    "stopping", "stopped", "destroyed"};
    BOOST_TEST(log == wanted, boost::test_tools::per_element());
    BOOST_TEST(d.has_ended());
  });
}

BOOST_AUTO_TEST_CASE(life_unreachable_does_its_mail_and_ends) {
  rt.block_on([]() -> task<> {
    std::vector<std::string> log;
    {
      auto d = spawn<diarist>(log);
      auto copy = d;
      BOOST_TEST(d.try_send(std::string{"first"}).has_value());
      BOOST_TEST(copy.try_send(std::string{"second"}).has_value());
    }
    BOOST_TEST(log.empty());  // Never inside the destructor that dropped the last ref.
    while (log.empty() || log.back() != "destroyed") co_await yield();
    BOOST_TEST(log.size() == 7u);
  });
}

BOOST_AUTO_TEST_CASE(life_unreachable_weak_refs_keep_nobody_alive) {
  rt.block_on([]() -> task<> {
    std::vector<std::string> log;
    std::optional<ref<diarist>> d = spawn<diarist>(log);
    weak_ref<diarist> weak{*d};
    BOOST_TEST(weak.lock().has_value());
    d.reset();
    while (log.empty() || log.back() != "destroyed") co_await yield();
    BOOST_TEST(!weak.lock().has_value());
    auto other = spawn<counter>();  // Maybe in the same place.
    BOOST_TEST(!weak.lock().has_value());
  });
}

// Goal:   a chain of a million actors, each held by the one before, ends without deep recursion.
BOOST_AUTO_TEST_CASE(life_unreachable_a_long_chain_ends_link_by_link) {
  class link : public actor {
  public:
    link(std::optional<ref<link>> next, std::size_t& ended)
        : next_{std::move(next)}, ended_{&ended} {}
    ~link() { ++*ended_; }
    void on(crash) {}

  private:
    std::optional<ref<link>> next_;
    std::size_t* ended_;
  };
  rt.block_on([]() -> task<> {
    std::size_t ended = 0, count = test::rounds(1'000'000);
    {
      std::optional<ref<link>> first;
      for (std::size_t i = 0; i < count; ++i) first = spawn<link>(std::move(first), ended);
    }
    while (ended < count) co_await yield();
  });
}

BOOST_AUTO_TEST_CASE(life_exception_ends_the_actor_and_fails_its_request) {
  caught_failures failed;
  rt.block_on([]() -> task<> {
    auto c = spawn<counter>();
    auto outcome = co_await c.ask(crash{}).as_result();
    BOOST_TEST((code_of(outcome) == ask_errc::receiver_failed));
    BOOST_TEST(may_have_run(code_of(outcome)));
    BOOST_TEST(c.has_ended());
    auto after = co_await c.ask(total{}).as_result();
    BOOST_TEST((code_of(after) == ask_errc::receiver_gone));
    BOOST_TEST(!may_have_run(code_of(after)));
  });
  BOOST_REQUIRE(failures.size() == 1u);
  BOOST_TEST(failures[0].ends_with("::counter: crashed"));
}

BOOST_AUTO_TEST_CASE(life_exception_runs_on_stop_once) {
  caught_failures failed;
  rt.block_on([]() -> task<> {
    std::vector<std::string> log;
    auto d = spawn<diarist>(log);
    BOOST_TEST(d.try_send(crash{}).has_value());
    while (log.empty() || log.back() != "destroyed") co_await yield();
    std::vector<std::string> wanted{"starting", "started", "stopping", "stopped", "destroyed"};
    BOOST_TEST(log == wanted, boost::test_tools::per_element());
  });
}

BOOST_AUTO_TEST_CASE(an_exception_in_the_constructor_is_the_spawners) {
  class stillborn : public actor {
  public:
    explicit stillborn(std::shared_ptr<int>) { throw std::runtime_error{"no"}; }
    void on(crash) {}
  };
  rt.block_on([]() -> task<> {
    auto owned = std::make_shared<int>(1);
    BOOST_CHECK_THROW((void)spawn<stillborn>(owned), std::runtime_error);
    BOOST_TEST(owned.use_count() == 1);
    co_return;
  });
}

BOOST_AUTO_TEST_CASE(ask_callee_dies_queued_requests_fail_at_once) {
  rt.block_on([]() -> task<> {
    event never;
    auto c = spawn<counter>();
    auto running = spawn([c, &never]() -> task<boost::system::error_code> {
      co_return code_of(co_await c.ask(hold{&never}).as_result());
    });
    co_await yield();
    auto queued = spawn([c]() -> task<boost::system::error_code> {
      co_return code_of(co_await c.ask(total{}).as_result());
    });
    co_await yield();
    c.kill();
    BOOST_TEST(((co_await queued) == ask_errc::receiver_gone));
    BOOST_TEST(((co_await running) == ask_errc::receiver_failed));
  });
}

BOOST_AUTO_TEST_CASE(mailbox_lanes_a_stop_waits_for_the_handler_and_overtakes_mail) {
  caught_losses caught;
  rt.block_on([]() -> task<> {
    event open;
    auto c = spawn<counter>();
    auto running =
        spawn([c, &open]() -> task<std::int64_t> { co_return co_await c.ask(hold{&open}); });
    co_await yield();
    BOOST_TEST(c.try_send(add{1}).has_value());
    c.stop();
    co_await yield();
    BOOST_TEST(!running.done());
    open.set();
    BOOST_TEST((co_await running) == 0);
    while (lost.empty()) co_await yield();
    BOOST_TEST(c.has_ended());
  });
  BOOST_TEST(lost.size() == 1u);
}

BOOST_AUTO_TEST_CASE(ask_caller_dies_what_is_queued_never_runs) {
  rt.block_on([]() -> task<> {
    event open;
    auto c = spawn<counter>();
    auto running = spawn([c, &open]() -> task<> { (void)co_await c.ask(hold{&open}); });
    co_await yield();
    auto withdrawn = spawn([c]() -> task<> { (void)co_await c.ask(crash{}); });
    co_await yield();
    co_await withdrawn.cancel();
    open.set();
    co_await running;
    BOOST_TEST((co_await c.ask(total{})) == 0);  // It did not crash.
  });
}

BOOST_AUTO_TEST_CASE(ask_caller_dies_while_it_runs_and_the_late_answer_is_dropped) {
  rt.block_on([]() -> task<> {
    event open;
    auto c = spawn<counter>();
    auto asking = spawn([c, &open]() -> task<> { (void)co_await c.ask(hold{&open}); });
    co_await yield();
    co_await yield();
    co_await asking.cancel();
    open.set();
    BOOST_TEST((co_await c.ask(total{})) == 0);
  });
}

BOOST_AUTO_TEST_CASE(ask_error_tells_what_may_have_run_from_what_has_not) {
  using enum ask_errc;
  for (auto code :
       {mailbox_full, receiver_gone, rejected, expired, deadlock, no_route, canceled_unrun}) {
    BOOST_TEST(!may_have_run(code));
    BOOST_TEST(make_error_code(code).message().ends_with("(not run)"));
  }
  for (auto code : {timeout, receiver_failed, node_down, ask_errc::canceled, broken_reply}) {
    BOOST_TEST(may_have_run(code));
    BOOST_TEST(make_error_code(code).message().ends_with("(may have run)"));
  }
}

BOOST_AUTO_TEST_CASE(ask_broken_a_dropped_reply_fails_the_request) {
  rt.block_on([]() -> task<> {
    auto c = spawn<counter>();
    BOOST_TEST((code_of(co_await c.ask(forget{}).as_result()) == ask_errc::broken_reply));
  });
}

BOOST_AUTO_TEST_CASE(a_kept_reply_answers_late) {
  rt.block_on([]() -> task<> {
    auto c = spawn<counter>();
    auto first = spawn([c]() -> task<int> { co_return co_await c.ask(late{1}); });
    co_await yield();
    auto second = spawn([c]() -> task<boost::system::error_code> {
      co_return code_of(co_await c.ask(late{2}).as_result());
    });
    BOOST_TEST((co_await first) == 2);
    c.stop();
    BOOST_TEST(((co_await second) == ask_errc::broken_reply));  // With the state that kept it.
  });
}

BOOST_AUTO_TEST_CASE(ask_deadline_explicit_ones_are_exact) {
  rt.block_on([]() -> task<> {
    event never;
    auto c = spawn<counter>();
    time_point start = now();
    auto running = co_await c.ask(hold{&never}, within(10ms)).as_result();
    BOOST_TEST((code_of(running) == ask_errc::timeout));
    BOOST_CHECK((now() - start >= 10ms && now() - start < 11ms));
    auto queued = co_await c.ask(total{}, within(10ms)).as_result();
    BOOST_TEST((code_of(queued) == ask_errc::expired));
    c.kill();
    while (!c.has_ended()) co_await yield();  // Its handler waits for an event of this frame.
  });
}

BOOST_AUTO_TEST_CASE(mailbox_bounded_send_waits_and_try_send_leaves_its_argument) {
  caught_losses caught;
  rt.block_on([]() -> task<> {
    event open;
    auto c = spawn<counter>(actor_options{.capacity = 2});
    auto blocker = spawn([c, &open]() -> task<> { (void)co_await c.ask(hold{&open}); });
    co_await yield();
    co_await yield();
    BOOST_TEST(c.try_send(add{1}).has_value());
    BOOST_TEST(c.try_send(add{2}).has_value());
    add third{3};
    BOOST_TEST((code_of(c.try_send(std::move(third))) == ask_errc::mailbox_full));
    BOOST_TEST(third.amount == 3);
    bool sent = false;
    auto sending = spawn([&, c]() -> task<> {
      co_await c.send(add{4});
      sent = true;
    });
    co_await yield();
    BOOST_TEST(!sent);
    auto patience = co_await c.ask(total{}, within(5ms)).as_result();
    BOOST_TEST((code_of(patience) == ask_errc::mailbox_full));
    open.set();
    co_await sending;
    BOOST_TEST((co_await c.ask(total{})) == 7);
    co_await blocker;
  });
}

BOOST_AUTO_TEST_CASE(mailbox_bounded_a_rejecting_actor_lets_nobody_wait) {
  rt.block_on([]() -> task<> {
    event open;
    auto c = spawn<counter>(actor_options{.capacity = 1, .when_full = overflow::reject});
    auto blocker = spawn([c, &open]() -> task<> { (void)co_await c.ask(hold{&open}); });
    co_await yield();
    co_await yield();
    co_await c.send(add{1});
    BOOST_TEST((code_of(co_await c.send(add{2}).as_result()) == ask_errc::mailbox_full));
    BOOST_TEST((code_of(co_await c.ask(total{}).as_result()) == ask_errc::mailbox_full));
    open.set();
    co_await blocker;
  });
}

BOOST_AUTO_TEST_CASE(mailbox_send_nothing_happens_until_it_is_awaited) {
  rt.block_on([]() -> task<> {
    auto c = spawn<counter>();
    {
      auto forgotten = c.send(add{1});
      auto unasked = c.ask(total{});
      (void)forgotten;
      (void)unasked;
    }
    BOOST_TEST((co_await c.ask(total{})) == 0);
  });
}

BOOST_AUTO_TEST_CASE(mailbox_self_a_full_mailbox_of_ones_own_is_an_error) {
  struct fill {};
  class selfish : public actor {
  public:
    task<int> on(fill) {
      auto me = self(this).address();
      int sent = 0;
      while (!(co_await me.send(add{1}).as_result()).has_error()) ++sent;
      co_return sent;
    }
    void on(add) {}
  };
  rt.block_on([]() -> task<> {
    auto s = spawn<selfish>(actor_options{.capacity = 3});
    BOOST_TEST((co_await s.ask(fill{})) == 3);
  });
}

BOOST_AUTO_TEST_CASE(ask_cycle_asking_oneself_is_refused_at_once) {
  struct ask_yourself {};
  class circular : public actor {
  public:
    task<bool> on(ask_yourself) {
      auto me = self(this).address();
      auto direct = co_await me.ask(total{}).as_result();
      auto inner = [](ref<circular> to) -> task<bool> {
        auto outcome = co_await to.ask(total{}).as_result();
        co_return code_of(outcome) == ask_errc::deadlock;
      };
      bool through_a_task = co_await inner(me);
      co_return through_a_task&& code_of(direct) == ask_errc::deadlock;
    }
    std::int64_t on(total) { return 1; }
  };
  rt.block_on([]() -> task<> {
    auto c = spawn<circular>();
    BOOST_TEST(co_await c.ask(ask_yourself{}));
    BOOST_TEST((co_await c.ask(total{})) == 1);
  });
}

BOOST_AUTO_TEST_CASE(a_ref_may_outlive_its_runtime) {
  caught_losses caught;
  auto other = std::make_unique<runtime>();
  auto make = []() -> task<ref<counter>> { co_return spawn<counter>(); };
  ref<counter> left = other->block_on(make);
  other.reset();
  BOOST_TEST(left.has_ended());
  BOOST_TEST((code_of(left.try_send(add{1})) == ask_errc::receiver_gone));
  rt.block_on([&]() -> task<> {
    BOOST_TEST((code_of(co_await left.ask(total{}).as_result()) == ask_errc::receiver_gone));
  });
}

BOOST_AUTO_TEST_CASE(several_refs_may_outlive_their_runtime) {
  auto other = std::make_unique<runtime>();
  auto make = []() -> task<ref<counter>> { co_return spawn<counter>(); };
  auto first = std::make_unique<ref<counter>>(other->block_on(make));
  ref<counter> second = *first;
  other.reset();
  first.reset();
  BOOST_TEST(second.has_ended());
}

// Goal:   what was sent before the last ref went is run, whatever the actor's worker does
// meanwhile.
BOOST_AUTO_TEST_CASE(life_unreachable_loses_no_mail_between_two_workers) {
  runtime_config config;
  config.workers = 2;
  runtime two{config};
  for (std::size_t round = 0; round < test::rounds(20'000); ++round) {
    std::int64_t sum = two.block_on([]() -> task<std::int64_t> {
      auto c = spawn<counter>();
      oneshot_receiver<std::int64_t> answer = [&] {
        auto ends = oneshot<std::int64_t>();
        BOOST_REQUIRE(c.try_send(tell_sum{std::move(ends.tx)}).has_value());
        return std::move(ends.rx);
      }();
      {
        auto last = std::move(c);
      }
      co_return co_await answer;
    });
    BOOST_REQUIRE(sum == 0);
  }
}

BOOST_AUTO_TEST_CASE(the_end_of_a_runtime_destroys_states_handlers_and_mail) {
  caught_losses caught;
  std::vector<std::string> log;
  auto owned = std::make_shared<int>(0);
  event never;
  {
    auto other = std::make_unique<runtime>();
    auto make = [&]() -> task<> {
      auto c = spawn<counter>();
      spawn([c, owned, &never]() -> task<> { (void)co_await c.ask(hold{&never}); }).detach();
      co_await sleep_for(1ms);
      BOOST_TEST(c.try_send(add{1}).has_value());
    };
    other->block_on(make);
  }
  BOOST_TEST(owned.use_count() == 1);
  BOOST_TEST(lost.size() == 1u);
}

BOOST_AUTO_TEST_CASE(spawn_outside_a_runtime_is_a_misuse) {
  auto text = test::misuse_of([] { (void)spawn<counter>(); });
  BOOST_TEST(text.find("outside a runtime") != std::string::npos);
}

// Goal:   nothing is lost, doubled or reordered between two workers and foreign threads.
BOOST_AUTO_TEST_CASE(delivery_once_from_many_threads) {
  runtime_config config;
  config.workers = 2;
  runtime two{config};
  auto make = []() -> task<ref<counter>> { co_return spawn<counter>(); };
  ref<counter> c = two.block_on(make);
  const auto each = static_cast<std::int64_t>(test::rounds(20'000));
  test::race(3, [&](std::size_t index) {
    if (index == 0) {
      for (std::int64_t i = 0; i < each;) {
        if (c.try_send(add{1}).has_value()) ++i;
      }
      return;
    }
    two.block_on([&]() -> task<> {
      for (std::int64_t i = 0; i < each; ++i) {
        co_await c.send(add{1});
        if (i % 64 == 0) (void)co_await c.ask(total{});
      }
    });
  });
  auto sum = [&]() -> task<std::int64_t> { co_return co_await c.ask(total{}); };
  BOOST_TEST(two.block_on(sum) == 3 * each);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
