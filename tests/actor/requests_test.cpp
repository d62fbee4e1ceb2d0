#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/ask_many.hpp>
#include <troupe/actor/registry.hpp>
#include <troupe/actor/undelivered.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>

#include <collected_failures.hpp>
#include <sched/two_workers.hpp>
#include <sched/virtual_worker.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

struct add {
  int amount;
};
struct total {
  using reply = int;
};
struct slow_total {
  event* until;
};
struct crash {};

class account : public actor {
public:
  explicit account(int sum = 0) : sum_{sum} {}
  void on(add m) { sum_ += m.amount; }
  int on(total) { return sum_; }
  task<int> on(slow_total m) {
    co_await m.until->wait();
    co_return sum_;
  }
  int on(crash) { throw std::runtime_error{"crashed"}; }

private:
  int sum_;
};

// Passes everything on.
class clerk : public actor {
public:
  explicit clerk(ref<account> to) : to_{std::move(to)} {}
  void on(total m, reply<int> r) { to_.delegate(m, std::move(r)); }
  void on(slow_total m, reply<int> r) { to_.delegate(m, std::move(r)); }
  void on(crash m, reply<int> r) { to_.delegate(m, std::move(r)); }
  void on(add m) { (void)to_.try_send(m); }

private:
  ref<account> to_;
};

using ledger = protocol<add, total, int(slow_total)>;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(requests_, test::virtual_worker)

BOOST_AUTO_TEST_CASE(delegate_lets_another_actor_answer) {
  test::collected_failures crashes;
  rt.block_on([]() -> task<> {
    auto behind = spawn<account>(7);
    auto front = spawn<clerk>(behind);
    BOOST_TEST((co_await front.ask(total{})) == 7);
    event until;
    auto slow = spawn([&]() -> task<int> { co_return co_await front.ask(slow_total{&until}); });
    co_await sleep_for(1ms);
    until.set();
    BOOST_TEST((co_await slow) == 7);
    auto failed = co_await front.ask(crash{}).as_result();
    BOOST_TEST((failed.error() == ask_errc::receiver_failed));
    auto gone = co_await front.ask(total{}).as_result();
    BOOST_TEST((gone.error() == ask_errc::receiver_gone));
  });
}

BOOST_AUTO_TEST_CASE(delegate_into_a_full_mailbox_fails_the_request) {
  rt.block_on([]() -> task<> {
    auto behind = spawn<account>(actor_options{.capacity = 1}, 7);
    auto front = spawn<clerk>(behind);
    event until;
    auto busy = spawn([&]() -> task<int> { co_return co_await behind.ask(slow_total{&until}); });
    co_await sleep_for(1ms);
    BOOST_TEST(behind.try_send(add{1}).has_value());
    auto full = co_await front.ask(total{}).as_result();
    BOOST_TEST((full.error() == ask_errc::mailbox_full));
    until.set();
    BOOST_TEST((co_await busy) == 7);
  });
}

BOOST_AUTO_TEST_CASE(delivery_once_what_was_sent_and_passed_on_to_nobody_is_reported) {
  static int lost = 0;
  auto former = set_undelivered_sink([](const undelivered& one) {
    BOOST_TEST((one.reason == ask_errc::receiver_gone));
    ++lost;
  });
  rt.block_on([]() -> task<> {
    auto behind = spawn<account>(7);
    auto front = spawn<clerk>(behind);
    behind.stop();
    co_await behind.ended();
    total message{};
    co_await front.send(take(message));
    auto gone = co_await front.ask(total{}).as_result();  // Behind it; its caller is told.
    BOOST_TEST((gone.error() == ask_errc::receiver_gone));
  });
  set_undelivered_sink(former);
  BOOST_TEST(lost == 1);
}

// A send that waits for room is one, too: it does not wait here.
BOOST_AUTO_TEST_CASE(
    mailbox_bounded_drop_newest_lets_every_send_succeed_and_reports_what_it_drops) {
  static int dropped = 0;
  auto former = set_undelivered_sink([](const undelivered& one) {
    if (one.reason == ask_errc::mailbox_full) ++dropped;
  });
  rt.block_on([]() -> task<> {
    actor_options small{.capacity = 1, .when_full = overflow::drop_newest};
    auto a = spawn<account>(small);
    event until;
    auto busy = spawn([&]() -> task<int> { co_return co_await a.ask(slow_total{&until}); });
    co_await sleep_for(1ms);
    BOOST_TEST(a.try_send(add{1}).has_value());
    BOOST_TEST(a.try_send(add{2}).has_value());
    co_await a.send(add{4});
    auto refused = co_await a.ask(total{}).as_result();
    BOOST_TEST((refused.error() == ask_errc::mailbox_full));
    until.set();
    (void)co_await busy;
    co_await sleep_for(1ms);
    BOOST_TEST((co_await a.ask(total{})) == 1);
  });
  set_undelivered_sink(former);
  BOOST_TEST(dropped == 2);
}

BOOST_AUTO_TEST_CASE(protocol_refs_stand_for_any_actor_that_fulfils_it) {
  rt.block_on([]() -> task<> {
    auto behind = spawn<account>(1);
    std::vector<ref<ledger>> any{behind, spawn<account>(10)};
    for (auto& each : any) {
      co_await each.send(add{1});
      BOOST_TEST(each.try_send(add{1}).has_value());
    }
    BOOST_TEST((co_await any[0].ask(total{})) == 3);
    BOOST_TEST((co_await any[1].ask<total>()) == 12);
    event until;
    until.set();
    BOOST_TEST((co_await any[0].ask(slow_total{&until}, within(1s))) == 3);
    BOOST_TEST((any[0].id() == behind.id()));
    auto copy = any[0];
    BOOST_TEST((copy == any[0]));
    copy.stop();
    co_await copy.ended();
    BOOST_TEST(behind.has_ended());
  });
  static_assert(std::is_convertible_v<ref<account>, ref<ledger>>);
  static_assert(!std::is_convertible_v<ref<account>, ref<protocol<std::string>>>);
  static_assert(!std::is_convertible_v<ref<account>, ref<protocol<long(total)>>>);
}

BOOST_AUTO_TEST_CASE(protocol_refs_stand_for_a_run_of_its_items_too) {
  rt.block_on([]() -> task<> {
    auto a = spawn<account>(1);
    ref<ledger> whole = a;
    ref<protocol<add>> first = whole;
    ref<protocol<total>> second = whole;
    ref<protocol<total, int(slow_total)>> behind = whole;
    co_await first.send(add{2});
    BOOST_TEST((co_await second.ask(total{})) == 3);
    event until;
    until.set();
    BOOST_TEST((co_await behind.ask(slow_total{&until})) == 3);
    ref<protocol<total>> narrower = behind;
    BOOST_TEST((co_await narrower.ask(total{})) == 3);
    // It is the same, whichever way it has come.
    BOOST_TEST((second == ref<protocol<total>>{a}));
    BOOST_TEST((narrower == second));
    BOOST_TEST((first != ref<protocol<add>>{spawn<account>(1)}));
  });
  using narrow = protocol<add, int(slow_total)>;
  static_assert(!std::is_convertible_v<ref<ledger>, ref<narrow>>);
  static_assert(!std::is_convertible_v<ref<protocol<add>>, ref<ledger>>);
  static_assert(!std::is_convertible_v<ref<ledger>, ref<protocol<total, add>>>);
  static_assert(!std::is_convertible_v<ref<ledger>, ref<protocol<long(slow_total)>>>);
  static_assert(!std::is_convertible_v<ref<ledger>, ref<account>>);
}

BOOST_AUTO_TEST_CASE(ask_all_gives_every_answer_or_error) {
  rt.block_on([]() -> task<> {
    auto dead = spawn<account>(2);
    dead.stop();
    co_await dead.ended();
    std::vector some{spawn<account>(1), dead, spawn<account>(3)};
    auto answers = co_await ask_all(some, total{});
    BOOST_TEST(answers[0].value() == 1);
    BOOST_TEST((answers[1].error() == ask_errc::receiver_gone));
    BOOST_TEST(answers[2].value() == 3);
    some.clear();
    BOOST_TEST((co_await ask_all(some, total{})).empty());
  });
}

BOOST_AUTO_TEST_CASE(ask_quorum_and_ask_first_take_who_answers) {
  rt.block_on([]() -> task<> {
    event never, now_set;
    now_set.set();
    auto a = spawn<account>(1), b = spawn<account>(2), c = spawn<account>(3);
    auto stuck = spawn(
        [&]() -> task<> { (void)co_await c.ask(slow_total{&never}, no_deadline).as_result(); });
    co_await sleep_for(1ms);
    std::vector all{a, b, c};
    auto two = co_await ask_quorum(2, all, total{});
    BOOST_TEST(two.size() == 2u);
    std::vector busy_and_free{c, a};
    BOOST_TEST((co_await ask_first(busy_and_free, slow_total{&now_set})) == 1);
    a.stop();
    b.stop();
    co_await a.ended();
    co_await b.ended();
    auto too_few = [&]() -> task<> { (void)co_await ask_quorum(2, all, total{}); };
    BOOST_CHECK_EXCEPTION(co_await too_few(), system_error, [](const system_error& e) {
      return e.code() == ask_errc::receiver_gone;
    });
    never.set();
    co_await stuck;
  });
}

BOOST_AUTO_TEST_CASE(ask_quorum_of_too_few_says_so) {
  rt.block_on([]() -> task<> {
    std::vector both{spawn<account>(1), spawn<account>(2)};
    auto three_of_two = [&]() -> task<> { (void)co_await ask_quorum(3, both, total{}); };
    BOOST_CHECK_EXCEPTION(co_await three_of_two(), system_error, [](const system_error& e) {
      return e.code() == ask_errc::no_route &&
             std::string{e.what()}.starts_with("ask_quorum() was to get 3 answers of 2 actors");
    });
  });
}

BOOST_AUTO_TEST_CASE(names_find_actors_and_hold_them_weakly) {
  class other : public actor {
  public:
    void on(add) {}
  };
  rt.block_on([]() -> task<> {
    std::optional<ref<account>> a = spawn<account>(5);
    BOOST_TEST(register_actor("books", *a));
    BOOST_TEST(register_actor("books", *a));
    BOOST_TEST(!register_actor("books", spawn<account>()));
    BOOST_TEST(!find_actor<other>("books").has_value());
    BOOST_TEST(!find_actor<account>("bookshelf").has_value());
    auto found = find_actor<account>("books");
    BOOST_REQUIRE(found.has_value());
    BOOST_TEST((co_await found->ask(total{})) == 5);
    found.reset();
    a->stop();
    co_await a->ended();
    BOOST_TEST(!find_actor<account>("books").has_value());
    auto next = spawn<account>(6);
    BOOST_TEST(register_actor("books", next));
    unregister_actor("books");
    BOOST_TEST(!find_actor<account>("books").has_value());
  });
}

// Nobody asks for the names of most of them again.
BOOST_AUTO_TEST_CASE(names_of_those_that_have_ended_are_not_kept) {
  rt.block_on([]() -> task<> {
    std::vector<ref<account>> living, kept;
    const executor& exec = detail::require_executor("");
    for (int i = 0; i < 1000; ++i) {
      {
        auto a = spawn<account>(i);
        BOOST_TEST(register_actor("short-lived " + std::to_string(i), a));
        if (i % 10 == 0) living.push_back(a);
        if (i % 2 == 1) a.stop();
        if (i % 4 == 1) kept.push_back(a);  // A block that is not free again.
      }
      co_await sleep_for(1us);
    }
    BOOST_TEST(detail::count_names(exec) <= 2 * living.size() + 32);
    BOOST_TEST(detail::count_names(exec) >= living.size());
    for (std::size_t i = 0; i < living.size(); ++i) {
      auto found = find_actor<account>("short-lived " + std::to_string(10 * i));
      BOOST_TEST((found && *found == living[i]));
    }
  });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(requests_from_outside_, test::two_workers)

BOOST_AUTO_TEST_CASE(blocking_forms_serve_foreign_threads) {
  ref<account> a = rt.block_on([]() -> task<ref<account>> { co_return spawn<account>(); });
  for (int i = 0; i < 2000; ++i) a.send_blocking(add{1});  // More than its mailbox holds.
  BOOST_TEST(a.ask_blocking(total{}) == 2000);
  event never;
  BOOST_CHECK_EXCEPTION(a.ask_blocking(slow_total{&never}, within(1ms)), system_error,
                        [](const system_error& e) { return e.code() == ask_errc::timeout; });
  a.kill();
  rt.block_on([&]() -> task<> { co_await a.ended(); });
  BOOST_CHECK_EXCEPTION(a.ask_blocking(total{}), system_error,
                        [](const system_error& e) { return e.code() == ask_errc::receiver_gone; });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
