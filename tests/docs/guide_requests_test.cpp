// The snippets of docs/guide/requests.md, in its order. Each block of the page stands here line by
// line, but for the indentation; the last case holds that, and the others what the page shows of
// their output.

#include <chrono>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/spawn.hpp>

#include <collected_failures.hpp>
#include <sched/virtual_worker.hpp>

#include "page_output.hpp"

using namespace std::chrono_literals;

namespace {

constexpr const char* page = "docs/guide/requests.md";

struct price_of {
  using reply = int;
  int item;
};

class shop : public troupe::actor {
public:
  troupe::task<int> on(price_of m) {
    co_await troupe::sleep_for(30ms);  // Such as a look into a catalogue.
    if (m.item > 3) throw std::out_of_range{fmt::format("there is no item {}", m.item)};
    co_return 100 * m.item;
  }
};

void tell(const char* what, troupe::result<int> price) {
  if (price) {
    fmt::print("{}: {} cents\n", what, *price);
  } else {
    fmt::print("{}: {}\n", what, price.error().message());
  }
}

troupe::task<> shopping() {
  auto s = troupe::spawn<shop>();
  int price = co_await s.ask(price_of{2});
  fmt::print("the second item costs {} cents\n", price);

  tell("in a hurry", co_await s.ask(price_of{2}, troupe::within{10ms}).as_result());
  tell("right behind", co_await s.ask(price_of{2}, troupe::within{10ms}).as_result());
  tell("with patience", co_await s.ask(price_of{2}, troupe::within{1s}).as_result());
  try {
    (void)co_await s.ask(price_of{9});
  } catch (const troupe::system_error& error) {
    fmt::print("thrown: {}\n", error.what());
  }
  tell("afterwards", co_await s.ask(price_of{2}).as_result());
}

troupe::task<int> price_or_ask_again(troupe::ref<shop> s) {
  for (;;) {
    auto price = co_await s.ask(price_of{1}, troupe::within{100ms}).as_result();
    if (price) co_return *price;
    bool is_gone = price.error() == troupe::ask_errc::receiver_gone;
    if (is_gone || troupe::may_have_run(price.error())) throw troupe::system_error{price.error()};
  }
}

struct find_price {
  std::string name;
};

class polite_shop : public troupe::actor {
public:
  // A "no" is an answer: the shop is well, and goes on.
  std::optional<int> on(const find_price& m) const {
    auto found = prices_.find(m.name);
    if (found == prices_.end()) return std::nullopt;
    return found->second;
  }
  // Or it fails the request, in words, and goes on as well.
  void on(price_of m, troupe::reply<int> back) {
    if (m.item > 3) return back.fail(troupe::ask_errc::rejected, "there is no such item");
    back.answer(100 * m.item);
  }

private:
  std::map<std::string, int> prices_{{"nails", 300}};
};

struct sell {
  using reply = troupe::result<int>;
  int item;
};

class counter : public troupe::actor {
public:
  explicit counter(troupe::ref<shop> of) : shop_{std::move(of)} {}

  // Its request has what is left of the time that the caller gives this one.
  troupe::task<troupe::result<int>> on(sell m) {
    auto price = co_await shop_.ask(price_of{m.item}).as_result();
    if (!price) co_return price.error();
    co_return *price + 50;
  }

private:
  troupe::ref<shop> shop_;
};

class porter : public troupe::actor {
public:
  explicit porter(troupe::ref<shop> to) : shop_{std::move(to)} {}

  // The shop's answer goes to who asked, and the porter is free at once.
  void on(price_of m, troupe::reply<int> back) { shop_.delegate(m, std::move(back)); }

private:
  troupe::ref<shop> shop_;
};

int ask_from_a_thread(troupe::ref<shop> s) {
  return s.ask_blocking(price_of{3});  // Of a thread that is no worker; send_blocking() likewise.
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(guide_requests_, troupe::test::virtual_worker)

BOOST_AUTO_TEST_CASE(each_failure_says_whether_the_handler_may_have_run) {
  troupe::test::collected_failures failures;
  troupe::test::check_output_of(page, [this] { rt.block_on(shopping); });
  BOOST_TEST(failures.texts() == std::vector<std::string>{"there is no item 9"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_was_not_run_is_asked_again) {
  rt.block_on([]() -> troupe::task<> {
    auto s = troupe::spawn<shop>();
    // Five that take 30 ms each are before it: it expires once, and is asked again.
    for (int i = 0; i < 5; ++i) co_await s.send(price_of{1});
    auto before = troupe::now();
    BOOST_TEST((co_await price_or_ask_again(s)) == 100);
    BOOST_TEST(std::chrono::round<std::chrono::milliseconds>(troupe::now() - before).count() ==
               180);
    s.stop();
    co_await s.ended();
    BOOST_CHECK_EXCEPTION((void)co_await price_or_ask_again(s), troupe::system_error,
                          [](const troupe::system_error& error) {
                            return error.code() == troupe::ask_errc::receiver_gone;
                          });
  });
}

BOOST_AUTO_TEST_CASE(a_no_is_an_answer) {
  rt.block_on([]() -> troupe::task<> {
    auto s = troupe::spawn<polite_shop>();
    BOOST_TEST((co_await s.ask<find_price>("nails")).value() == 300);
    BOOST_TEST(!(co_await s.ask<find_price>("rope")));
    auto refused = co_await s.ask(price_of{9}).as_result();
    BOOST_TEST((refused.error() == troupe::ask_errc::rejected));
    BOOST_TEST((co_await s.ask(price_of{1})) == 100);
  });
}

BOOST_AUTO_TEST_CASE(a_request_inherits_what_is_left_of_its_callers_time) {
  rt.block_on([]() -> troupe::task<> {
    auto s = troupe::spawn<shop>();
    auto c = troupe::spawn<counter>(s);
    auto sold = co_await c.ask(sell{2});
    BOOST_TEST(sold.value() == 250);
    co_await s.send(price_of{1});
    auto late = co_await c.ask(sell{2}, troupe::within{20ms}).as_result();
    BOOST_TEST((!late || !*late));  // Which of the two sees it first is open.
    // The shop has not begun it when its time is over: it never does.
    auto before = troupe::now();
    BOOST_TEST((co_await s.ask(price_of{1})) == 100);
    BOOST_TEST(std::chrono::round<std::chrono::milliseconds>(troupe::now() - before).count() == 40);
    s.stop();
    co_await s.ended();
    sold = co_await c.ask(sell{2});
    BOOST_TEST((sold.error() == troupe::ask_errc::receiver_gone));
  });
}

BOOST_AUTO_TEST_CASE(a_request_is_passed_on) {
  rt.block_on([]() -> troupe::task<> {
    auto p = troupe::spawn<porter>(troupe::spawn<shop>());
    BOOST_TEST((co_await p.ask(price_of{2})) == 200);
  });
}

BOOST_AUTO_TEST_CASE(a_thread_asks) {
  auto s =
      rt.block_on([]() -> troupe::task<troupe::ref<shop>> { co_return troupe::spawn<shop>(); });
  BOOST_TEST(ask_from_a_thread(s) == 300);
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled_here) {
  BOOST_TEST(troupe::test::check_snippets({page, "tests/docs/guide_requests_test.cpp"}) == 6);
}

BOOST_AUTO_TEST_SUITE_END()
