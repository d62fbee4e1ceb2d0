// The snippets of docs/guide/actors.md, in its order. Each block of the page stands here line by
// line, but for the indentation; the last case holds that, and the others what the page shows of
// their output.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>
#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/actor/registry.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/spawn.hpp>

#include <captured_log.hpp>
#include <sched/virtual_worker.hpp>

#include "page_output.hpp"

using namespace std::chrono_literals;

namespace {

constexpr const char* page = "docs/guide/actors.md";

struct deposit {
  std::int64_t cents;
};
struct withdraw {
  using reply = bool;
  std::int64_t cents;
};
struct balance {
  using reply = std::int64_t;
};

class account : public troupe::actor {
public:
  void on(deposit m) { cents_ += m.cents; }
  bool on(withdraw m) {
    if (m.cents > cents_) return false;
    cents_ -= m.cents;
    return true;
  }
  std::int64_t on(balance) const { return cents_; }

private:
  std::int64_t cents_ = 0;
};

troupe::task<> customer(troupe::ref<account> from, int number) {
  bool is_paid = co_await from.ask(withdraw{300});
  fmt::print("customer {} gets {}\n", number, is_paid ? "300 cents" : "nothing");
}

troupe::task<> open_bank() {
  auto savings = troupe::spawn<account>();
  co_await savings.send(deposit{1000});
  for (int i = 1; i <= 4; ++i) troupe::spawn(customer, savings, i);
}

troupe::task<> verbs(troupe::ref<account> savings) {
  co_await savings.send(deposit{5});                   // Waits for room in the mailbox.
  auto sent = savings.try_send(deposit{5});            // Never waits: for plain functions.
  std::int64_t sum = co_await savings.ask(balance{});  // Waits for the answer.
  BOOST_TEST(sent.has_value());
  BOOST_TEST(sum == 10);
}

struct fetch {
  int page;
};
struct count_pages {
  using reply = int;
};

class library : public troupe::actor {
public:
  // Other mail waits until this has ended.
  troupe::task<std::string> on(fetch m) {
    co_await troupe::sleep_for(10ms);  // Such as a read from a disk.
    ++pages_;
    co_return "page " + std::to_string(m.page);
  }
  int on(count_pages) const { return pages_; }

private:
  int pages_ = 0;
};

class busy_library : public troupe::actor {
public:
  // Other mail is handled meanwhile, other pages too.
  troupe::task<std::string> on(fetch m, troupe::interleaved) {
    co_await troupe::sleep_for(10ms);
    ++pages_;
    co_return "page " + std::to_string(m.page);
  }
  int on(count_pages) const { return pages_; }

private:
  int pages_ = 0;
};

struct look {
  using reply = void;
};

class lamp : public troupe::actor {
public:
  void on_start() { fmt::print("{} is lit\n", self().name()); }
  void on(look) { fmt::print("{} shines\n", self().name()); }
  void on_stop() { fmt::print("{} goes out\n", self().name()); }
};

troupe::task<> evening() {
  troupe::actor_options options;
  options.name = "lantern";
  auto one = troupe::spawn<lamp>(options);
  co_await one.ask(look{});
  one.stop();
  troupe::exit_reason why = co_await one.ended();
  fmt::print("it has ended: {}\n", to_string(why));
  auto late = co_await one.ask(look{}).as_result();
  fmt::print("error = {}\n", late.error().message());
}

troupe::task<> forgotten() {
  {
    auto one = troupe::spawn<account>();
    co_await one.send(deposit{5});
  }  // The last ref is gone: it handles the deposit, and ends.
}

using payee = troupe::protocol<deposit, balance>;

troupe::task<std::int64_t> pay_twice(troupe::ref<payee> to) {
  co_await to.send(deposit{1});
  co_await to.send(deposit{1});
  co_return co_await to.ask(balance{});
}

troupe::task<> meet() {
  auto savings = troupe::spawn<account>();
  bool is_free = troupe::register_actor("savings", savings);
  std::optional<troupe::ref<account>> found = troupe::find_actor<account>("savings");
  if (found) co_await found->send(deposit{5});
  BOOST_TEST(is_free);
  BOOST_REQUIRE(found.has_value());
  BOOST_TEST((*found == savings));
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(guide_actors_, troupe::test::virtual_worker)

BOOST_AUTO_TEST_CASE(the_first_actor_pays_who_comes_in_time) {
  troupe::test::check_output_of(page, [this] {
    rt.block_on(open_bank);
    rt.block_on([]() -> troupe::task<> { co_await troupe::sleep_for(1ms); });
  });
}

BOOST_AUTO_TEST_CASE(messages_are_sent_tried_and_asked) {
  rt.block_on([]() -> troupe::task<> {
    auto savings = troupe::spawn<account>();
    co_await verbs(savings);
  });
}

// Two pages and a count: one after the other they take 20 ms, interleaved 10.
template <class Library>
troupe::task<> fetch_two(troupe::duration both, int counted_meanwhile) {
  auto lib = troupe::spawn<Library>();
  auto before = troupe::now();
  auto get = [lib](int number) -> troupe::task<std::string> {
    co_return co_await lib.ask(fetch{number});
  };
  auto first = troupe::spawn(get, 1), second = troupe::spawn(get, 2);
  co_await troupe::sleep_for(1ms);
  int counted = co_await lib.ask(count_pages{});
  BOOST_TEST(counted == counted_meanwhile);
  BOOST_TEST((co_await first) == "page 1");
  BOOST_TEST((co_await second) == "page 2");
  BOOST_TEST((troupe::now() - before) / 1ms == both / 1ms);
}

BOOST_AUTO_TEST_CASE(a_handler_that_waits_holds_up_other_mail_unless_it_is_interleaved) {
  rt.block_on(fetch_two<library>, 20ms, 2);
  rt.block_on(fetch_two<busy_library>, 10ms, 0);
}

BOOST_AUTO_TEST_CASE(a_life_has_a_beginning_and_an_end) {
  troupe::test::check_output_of(page, [this] { rt.block_on(evening); });
}

BOOST_AUTO_TEST_CASE(an_actor_without_refs_does_its_mail_and_ends) {
  troupe::test::captured_log log;
  rt.block_on(forgotten);
  rt.block_on([]() -> troupe::task<> { co_await troupe::sleep_for(1ms); });
  BOOST_TEST(rt.actors().empty());
  BOOST_TEST(log.count("deposit") == 0U);  // Not undelivered.
}

BOOST_AUTO_TEST_CASE(a_protocol_is_any_actor_that_fulfils_it) {
  rt.block_on(
      []() -> troupe::task<> { BOOST_TEST((co_await pay_twice(troupe::spawn<account>())) == 2); });
}

BOOST_AUTO_TEST_CASE(an_actor_is_found_by_its_name) { rt.block_on(meet); }

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled_here) {
  BOOST_TEST(troupe::test::check_snippets({page, "tests/docs/guide_actors_test.cpp"}) == 6);
}

BOOST_AUTO_TEST_SUITE_END()
