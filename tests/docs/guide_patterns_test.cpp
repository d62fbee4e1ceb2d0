// The snippets of docs/guide/patterns.md that need no ready-made actor. Each block of the page
// stands here, or in guide_ready_made_test.cpp, line by line but for the indentation; the last case
// holds that.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/actor/ask_many.hpp>
#include <troupe/actor/behaviors.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/spawn_blocking.hpp>

#include <sched/virtual_worker.hpp>

#include "page_snippets.hpp"

using namespace std::chrono_literals;

namespace {

struct entry {
  int cents;
};
struct total {
  using reply = int;
};

class journal : public troupe::actor {
public:
  void on(entry m) { sum_ += m.cents; }
  int on(total) const { return sum_; }

private:
  int sum_ = 0;
};

struct sale {
  int cents;
};

class till : public troupe::actor {
public:
  explicit till(troupe::ref<journal> to) : journal_{std::move(to)} {}

  // Goes on when the journal has room, not when it has written.
  troupe::task<> on(sale m) { co_await journal_.send(entry{m.cents}); }

private:
  troupe::ref<journal> journal_;
};

troupe::task<int> sum_of(troupe::ref<journal> j) {
  int sum = co_await j.ask(total{}, troupe::within{50ms});
  co_return sum;
}

struct news {
  int number;
};
struct next_news {
  using reply = int;
};

class newsroom : public troupe::actor {
public:
  void on(next_news, troupe::reply<int> back) { waiting_.push_back(std::move(back)); }
  void on(news m) {
    for (auto& each : waiting_) each.answer(m.number);
    waiting_.clear();
  }

private:
  std::vector<troupe::reply<int>> waiting_;
};

struct rate {
  using reply = int;
};

class bank : public troupe::actor {
public:
  explicit bank(int rate_now) : rate_{rate_now} {}
  troupe::task<int> on(rate) {
    co_await troupe::sleep_for(10ms);
    co_return rate_;
  }

private:
  int rate_;
};

struct refresh {};
struct price {
  using reply = int;
  int amount;
};
struct exact_price {
  using reply = int;
  int amount;
};

class trader : public troupe::actor {
public:
  explicit trader(troupe::ref<bank> of) : bank_{std::move(of)} {}

  // A side task: the actor goes on with its mail until the answer is there.
  void on(refresh) {
    self().spawn([this]() -> troupe::task<> {
      auto answer = co_await bank_.ask(rate{}).as_result();
      if (answer) rate_ = *answer;  // In a turn of this actor, as in a handler.
    });
  }
  int on(price m) const { return m.amount * rate_; }

  // Interleaved: the same, where the answer is part of another answer.
  troupe::task<int> on(exact_price m, troupe::interleaved) {
    int cents = m.amount * co_await bank_.ask(rate{});
    co_return cents;
  }

private:
  troupe::ref<bank> bank_;
  int rate_ = 2;
};

troupe::task<std::optional<int>> lowest(std::vector<troupe::ref<bank>> banks) {
  auto answers = co_await troupe::ask_all(std::move(banks), rate{}, troupe::within{100ms});
  std::optional<int> best;
  for (const auto& each : answers) {
    if (each && (!best || *each < *best)) best = *each;  // Who has not answered does not count.
  }
  co_return best;
}

struct picture {
  int number;
};
struct finished {
  using reply = std::vector<int>;
};

int develop(int number) { return 10 * number; }

class studio : public troupe::actor {
public:
  void on(picture m) {
    self().spawn([this, m]() -> troupe::task<> {
      int done = co_await troupe::spawn_blocking([m] { return develop(m.number); });
      done_.push_back(done);
    });
  }
  std::vector<int> on(finished) const { return done_; }

private:
  std::vector<int> done_;
};

struct look {};
struct idle {};

class watchman : public troupe::actor {
public:
  void on_start() {
    rounds_ = self(this).send_every(10s, look{});
    self(this).send_when_idle<idle>(1h);
  }
  void on(look) {
    if (++looks_ == 3) rounds_.cancel();
  }
  void on(idle) { self().stop(); }
  int on(total) const { return looks_; }

private:
  troupe::actor_timer rounds_;
  int looks_ = 0;
};

struct page_of {
  using reply = std::string;
};

class archive : public troupe::actor {
public:
  troupe::task<std::string> on(page_of) {
    co_await troupe::sleep_for(10ms);
    co_return "page 1";
  }
};

class reading_room : public troupe::actor {
public:
  explicit reading_room(troupe::ref<archive> from) : from_{std::move(from)} {}

  void on_start() {
    self().spawn([this]() -> troupe::task<> {
      page_ = co_await from_.ask(page_of{});
      self().unstash();
    });
  }
  std::string on(page_of m) {
    if (page_.empty()) self().stash(std::move(m));
    return page_;
  }

private:
  troupe::ref<archive> from_;
  std::string page_;
};

// Takes no mail before it has its page.
class patient_room : public troupe::actor {
public:
  explicit patient_room(troupe::ref<archive> from) : from_{std::move(from)} {}

  troupe::task<> on_start() { page_ = co_await from_.ask(page_of{}); }
  std::string on(page_of) const { return page_; }

private:
  troupe::ref<archive> from_;
  std::string page_;
};

struct push {
  using reply = bool;
};
struct coin {};

class locked : public troupe::actor {
public:
  bool on(push) { return false; }
  void on(coin);
};
class unlocked : public troupe::actor {
public:
  bool on(push) {
    self().become<locked>();
    return true;
  }
  void on(coin) {}
};
void locked::on(coin) { self().become<unlocked>(); }

class turnstile : public troupe::behaviors<locked, unlocked> {};

class cart : public troupe::actor {
public:
  explicit cart(troupe::ref<journal> to) : journal_{std::move(to)} {}

  void on(sale m) { sum_ += m.cents; }
  troupe::task<> on_stop() { co_await journal_.send(entry{sum_}); }

private:
  troupe::ref<journal> journal_;
  int sum_ = 0;
};

troupe::ref<cart> open_cart(troupe::ref<journal> to) {
  troupe::actor_options options;
  options.drain = true;  // A stop comes after the mail that is there.
  auto c = troupe::spawn<cart>(options, to);
  return c;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(guide_patterns_, troupe::test::virtual_worker)

BOOST_AUTO_TEST_CASE(what_is_sent_is_done_later_and_what_is_asked_is_known) {
  rt.block_on([]() -> troupe::task<> {
    auto j = troupe::spawn<journal>();
    auto t = troupe::spawn<till>(j);
    for (int i = 1; i <= 3; ++i) co_await t.send(sale{i});
    co_await troupe::sleep_for(1ms);
    BOOST_TEST((co_await sum_of(j)) == 6);
  });
}

BOOST_AUTO_TEST_CASE(all_who_wait_are_answered_later) {
  rt.block_on([]() -> troupe::task<> {
    auto n = troupe::spawn<newsroom>();
    auto wait = [n]() -> troupe::task<int> { co_return co_await n.ask(next_news{}); };
    auto first = troupe::spawn(wait), second = troupe::spawn(wait);
    co_await troupe::sleep_for(1ms);
    BOOST_TEST(!first.done());
    co_await n.send(news{5});
    BOOST_TEST((co_await first) == 5);
    BOOST_TEST((co_await second) == 5);
  });
}

BOOST_AUTO_TEST_CASE(an_answer_is_waited_for_beside_the_mail) {
  rt.block_on([]() -> troupe::task<> {
    auto t = troupe::spawn<trader>(troupe::spawn<bank>(3));
    co_await t.send(refresh{});
    BOOST_TEST((co_await t.ask(price{10})) == 20);
    co_await troupe::sleep_for(11ms);
    BOOST_TEST((co_await t.ask(price{10})) == 30);
    BOOST_TEST((co_await t.ask(exact_price{100})) == 300);
  });
}

BOOST_AUTO_TEST_CASE(many_are_asked_at_once) {
  rt.block_on([]() -> troupe::task<> {
    std::vector<troupe::ref<bank>> banks;
    for (int i = 5; i >= 3; --i) banks.push_back(troupe::spawn<bank>(i));
    auto before = troupe::now();
    BOOST_TEST((co_await lowest(banks)).value() == 3);
    BOOST_TEST((troupe::now() - before < 11ms));
    banks.back().stop();
    co_await banks.back().ended();
    BOOST_TEST((co_await lowest(banks)).value() == 4);
    int any = co_await troupe::ask_first(banks, rate{});
    BOOST_TEST(any >= 4);
  });
}

BOOST_AUTO_TEST_CASE(a_result_comes_back_into_the_state) {
  rt.block_on([]() -> troupe::task<> {
    auto s = troupe::spawn<studio>();
    co_await s.send(picture{4});
    std::vector<int> done;
    while (done.empty()) {
      co_await troupe::sleep_for(1ms);
      done = co_await s.ask(finished{});
    }
    BOOST_TEST(done.front() == 40);
  });
}

BOOST_AUTO_TEST_CASE(timers_send_to_their_actor) {
  rt.block_on([]() -> troupe::task<> {
    auto w = troupe::spawn<watchman>();
    co_await troupe::sleep_for(100s);
    BOOST_TEST((co_await w.ask(total{})) == 3);
    auto before = troupe::now();
    co_await w.ended();
    BOOST_TEST((troupe::now() - before >= 30min));
  });
}

BOOST_AUTO_TEST_CASE(requests_are_put_aside_until_there_is_an_answer) {
  rt.block_on([]() -> troupe::task<> {
    auto r = troupe::spawn<reading_room>(troupe::spawn<archive>());
    BOOST_TEST((co_await r.ask(page_of{})) == "page 1");
    auto p = troupe::spawn<patient_room>(troupe::spawn<archive>());
    BOOST_TEST((co_await p.ask(page_of{})) == "page 1");
  });
}

BOOST_AUTO_TEST_CASE(a_turnstile_lets_one_pass_for_each_coin) {
  rt.block_on([]() -> troupe::task<> {
    auto t = troupe::spawn<turnstile>();
    BOOST_TEST(!(co_await t.ask<push>()));
    co_await t.send(coin{});
    BOOST_TEST((co_await t.ask<push>()));
    BOOST_TEST(!(co_await t.ask<push>()));
  });
}

BOOST_AUTO_TEST_CASE(at_its_end_an_actor_hands_over_what_it_has) {
  rt.block_on([]() -> troupe::task<> {
    auto j = troupe::spawn<journal>();
    auto c = open_cart(j);
    for (int i = 1; i <= 3; ++i) co_await c.send(sale{i});
    c.stop();
    co_await c.ended();
    BOOST_TEST((co_await sum_of(j)) == 6);
  });
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled_here_or_beside_it) {
  BOOST_TEST(troupe::test::check_snippets("docs/guide/patterns.md",
                                          {"tests/docs/guide_patterns_test.cpp",
                                           "tests/docs/guide_ready_made_test.cpp"}) == 22);
}

BOOST_AUTO_TEST_SUITE_END()
