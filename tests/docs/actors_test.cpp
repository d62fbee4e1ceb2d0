// The snippets of docs/actors.md, in its order. Each block of the page stands here line by line,
// but for the indentation; the last case holds that.

#include <chrono>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <boost/test/unit_test.hpp>

#include <actors/aggregator.hpp>
#include <actors/cache.hpp>
#include <actors/circuit_breaker.hpp>
#include <actors/connection.hpp>
#include <actors/coordinator.hpp>
#include <actors/listener.hpp>
#include <actors/pool.hpp>
#include <actors/rate_limiter.hpp>
#include <actors/retry.hpp>
#include <actors/ticker.hpp>
#include <actors/topic.hpp>
#include <troupe/actor/behaviors.hpp>
#include <troupe/actor/supervisor.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>

#include <sched/virtual_worker.hpp>

#include "page_snippets.hpp"

using namespace std::chrono_literals;

namespace {

struct add {
  std::int64_t amount;
};
struct total {
  using reply = std::int64_t;
};

class counter : public troupe::actor {
public:
  void on(add m) { sum_ += m.amount; }
  std::int64_t on(total) { return sum_; }

private:
  std::int64_t sum_ = 0;
};

troupe::task<> count() {
  auto c = troupe::spawn<counter>();
  co_await c.send(add{2});
  std::int64_t sum = co_await c.ask(total{});
  fmt::print("{}\n", sum);
}

struct fetch {
  int page;
};
struct wait_for_news {};
struct news {
  int number;
};

class library : public troupe::actor {
public:
  explicit library(troupe::ref<counter> uses) : uses_{std::move(uses)} {}

  // A coroutine: the actor handles nothing else until it has ended.
  troupe::task<std::int64_t> on(total m) { co_return co_await uses_.ask(m); }

  // Interleaved: other mail is handled while this one waits.
  troupe::task<std::string> on(fetch m, troupe::interleaved) {
    co_await troupe::sleep_for(10ms);
    co_return "page " + std::to_string(m.page);
  }

  // Answers later, when it likes.
  void on(wait_for_news, troupe::reply<int> back) { waiting_.push_back(std::move(back)); }
  void on(news m) {
    for (auto& each : waiting_) each.answer(m.number);
    waiting_.clear();
  }

private:
  troupe::ref<counter> uses_;
  std::vector<troupe::reply<int>> waiting_;
};

troupe::task<> use(troupe::ref<counter> c) {
  co_await c.send(add{1});         // Waits for room; throws when c has ended.
  auto sent = c.try_send(add{1});  // Never waits.
  auto sum = co_await c.ask(total{}, troupe::within{50ms}).as_result();
  if (!sum && !troupe::may_have_run(sum.error())) {
    // It was not begun: to ask again is safe.
  }
  BOOST_TEST(sent.has_value());
  BOOST_TEST(sum.has_value());
}

troupe::ref<counter> with_options() {
  troupe::actor_options options;
  options.name = "uses";
  options.capacity = 16;
  options.when_full = troupe::overflow::reject;
  auto c = troupe::spawn<counter>(options);
  return c;
}

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
  std::int64_t on(total) { return looks_; }

private:
  troupe::actor_timer rounds_;
  int looks_ = 0;
};

struct get {
  using reply = std::string;
};

// Fetches when it starts, and lets those who ask meanwhile wait.
class cache : public troupe::actor {
public:
  explicit cache(troupe::ref<library> from) : from_{std::move(from)} {}

  void on_start() {
    self().spawn([this]() -> troupe::task<> {
      page_ = co_await from_.ask(fetch{1});
      self().unstash();
    });
  }
  std::string on(get m) {
    if (page_.empty()) self().stash(std::move(m));
    return page_;
  }

private:
  troupe::ref<library> from_;
  std::string page_;
};

class nurse : public troupe::actor {
public:
  void on(const troupe::ref<counter>& patient) { self(this).monitor(patient); }
  void on(const troupe::down& d) { last_ = d.name + ": " + to_string(d.why); }
  std::string on(get) { return last_; }

private:
  std::string last_;
};

struct crash {};

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

class fragile : public troupe::actor {
public:
  explicit fragile(std::int64_t first) : sum_{first} {}
  void on(add m) { sum_ += m.amount; }
  std::int64_t on(total) { return sum_; }
  void on(crash) { throw std::runtime_error{"dropped"}; }

private:
  std::int64_t sum_;
};

troupe::task<> supervise() {
  auto root = troupe::spawn<troupe::supervisor>(troupe::supervision{.max_restarts = 5});
  auto f = troupe::spawn_child<fragile>(root, 7);
  co_await f.send(add{1});
  co_await f.send(crash{});
  std::int64_t sum = co_await f.ask(total{});  // 7: the same address, a new state.
  BOOST_TEST(sum == 7);
}

using summing = troupe::protocol<add, std::int64_t(total)>;

troupe::task<std::int64_t> add_twice(troupe::ref<summing> to) {
  co_await to.send(add{1});
  co_await to.send(add{1});
  co_return co_await to.ask(total{});
}

class hello : public troupe::actor {
public:
  explicit hello(troupe::io::stream peer) : peer_{std::move(peer)} {}
  troupe::task<> on_start() { co_await peer_.write_all("hello world"); }

private:
  troupe::io::stream peer_;
};

troupe::ref<troupe::actors::listener> listen() {
  auto make = [](troupe::io::stream peer) { return troupe::spawn<hello>(std::move(peer)); };
  troupe::io::listener source = troupe::net::tcp_listen("127.0.0.1", 0);
  auto open = troupe::spawn<troupe::actors::listener>(std::move(source), make);
  return open;
}

class echo final : public troupe::actors::connection {
public:
  using connection::connection;

private:
  troupe::task<> on_frame(std::string line) override { co_await write(line + "\n"); }
};

troupe::task<> aggregate() {
  auto print = [](int sum, std::size_t count) { fmt::print("{} of {}\n", sum, count); };
  auto sums = troupe::spawn<troupe::actors::aggregator<int>>(print, 30s);
  co_await sums.send(troupe::actors::add{5});
}

class device {
public:
  troupe::task<std::string> serve(fetch m) { co_return "page " + std::to_string(m.page); }
};
troupe::task<device> dial() { co_return device{}; }

troupe::task<> coordinate() {
  auto line = troupe::spawn<troupe::actors::coordinator<device, fetch>>(dial);
  troupe::result<std::string> page = co_await line.ask(fetch{1});
  BOOST_TEST(*page == "page 1");
}

troupe::task<> tick() {
  auto c = troupe::spawn<counter>();
  troupe::spawn<troupe::actors::ticker<add>>(c, 1s, add{1});
  co_await troupe::sleep_for(3500ms);
  BOOST_TEST((co_await c.ask(total{})) == 3);
}

troupe::task<> share_out() {
  auto workers = troupe::actors::spawn_pool<counter>(4);
  std::int64_t sum = co_await workers.ask(total{});
  co_await workers.resize(8);
  std::size_t taken = co_await workers.broadcast(add{1});
  troupe::ref<troupe::protocol<add>> any = workers.front<add>();
  BOOST_TEST(sum == 0);
  BOOST_TEST(taken == 8U);
  co_await any.send(add{1});
}

troupe::task<> publish() {
  auto c = troupe::spawn<counter>();
  auto news = troupe::spawn<troupe::actors::topic<add>>();
  co_await troupe::actors::subscribe(news, c, troupe::actors::slow::drop_newest);
  co_await news.send(add{1});
  co_await troupe::sleep_for(1ms);
  BOOST_TEST((co_await c.ask(total{})) == 1);
}

troupe::task<> keep_users() {
  auto load = [](int id) -> troupe::task<std::string> { co_return "user " + std::to_string(id); };
  troupe::actors::cache_options options;
  options.expiry = 60s;
  auto users = troupe::spawn<troupe::actors::cache<int, std::string>>(load, options);
  troupe::result<std::string> user = co_await users.ask(troupe::actors::get{7});
  BOOST_TEST(*user == "user 7");
}

troupe::task<> ask_again(troupe::ref<counter> c) {
  troupe::actors::retry_policy policy;
  policy.within = 2s;
  auto sum = co_await troupe::actors::retry(policy, [&] { return c.ask(total{}); });
  BOOST_TEST(sum == 0);
}

troupe::task<> keep_to_a_rate() {
  troupe::actors::rate_limiter limiter{100, 1s, 10};
  co_await limiter.acquire();
}

troupe::task<> break_off(troupe::ref<counter> c) {
  troupe::actors::circuit_breaker breaker;
  auto sum = co_await breaker.call([&] { return c.ask(total{}); });
  BOOST_TEST(sum == 0);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(actors_, troupe::test::virtual_worker)

BOOST_AUTO_TEST_CASE(the_first_actor_counts) { rt.block_on(count); }

BOOST_AUTO_TEST_CASE(handlers_answer_at_once_later_or_interleaved) {
  rt.block_on([]() -> troupe::task<> {
    auto lib = troupe::spawn<library>(troupe::spawn<counter>());
    auto slow = troupe::spawn(
        [lib]() -> troupe::task<std::string> { co_return co_await lib.ask(fetch{3}); });
    auto late = troupe::spawn(
        [lib]() -> troupe::task<int> { co_return co_await lib.ask(wait_for_news{}); });
    BOOST_TEST((co_await lib.ask(total{})) == 0);
    co_await troupe::sleep_for(1ms);
    BOOST_TEST(!slow.done());
    co_await lib.send(news{5});
    BOOST_TEST((co_await late) == 5);
    BOOST_TEST((co_await slow) == "page 3");
  });
}

BOOST_AUTO_TEST_CASE(messages_are_sent_tried_and_asked) {
  rt.block_on([]() -> troupe::task<> {
    auto c = with_options();
    BOOST_TEST(c.name() == "uses");
    co_await use(c);
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

BOOST_AUTO_TEST_CASE(a_side_task_fetches_while_requests_are_put_aside) {
  rt.block_on([]() -> troupe::task<> {
    auto c = troupe::spawn<cache>(troupe::spawn<library>(troupe::spawn<counter>()));
    BOOST_TEST((co_await c.ask(get{})) == "page 1");
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

BOOST_AUTO_TEST_CASE(monitors_hear_of_ends) {
  rt.block_on([]() -> troupe::task<> {
    auto n = troupe::spawn<nurse>();
    auto c = with_options();
    co_await n.send(c);
    c.stop();
    co_await c.ended();
    co_await troupe::sleep_for(1ms);
    BOOST_TEST((co_await n.ask(get{})).starts_with("uses: "));
  });
}

BOOST_AUTO_TEST_CASE(a_supervisor_restarts) { rt.block_on(supervise); }

BOOST_AUTO_TEST_CASE(a_protocol_is_any_actor_that_fulfils_it) {
  rt.block_on(
      []() -> troupe::task<> { BOOST_TEST((co_await add_twice(troupe::spawn<counter>())) == 2); });
}

BOOST_AUTO_TEST_CASE(a_listener_is_ready_made) {
  troupe::runtime real;
  real.block_on([]() -> troupe::task<> {
    auto open = listen();
    open.stop();
    co_await open.ended();
  });
}

BOOST_AUTO_TEST_CASE(aggregator_coordinator_and_ticker_are_ready_made) {
  rt.block_on(aggregate);
  rt.block_on(coordinate);
  rt.block_on(tick);
}

BOOST_AUTO_TEST_CASE(a_pool_a_topic_and_a_cache_are_ready_made) {
  rt.block_on(share_out);
  rt.block_on(publish);
  rt.block_on(keep_users);
}

BOOST_AUTO_TEST_CASE(retry_limiter_and_breaker_go_around_any_request) {
  rt.block_on([]() -> troupe::task<> {
    auto c = troupe::spawn<counter>();
    co_await ask_again(c);
    co_await keep_to_a_rate();
    co_await break_off(c);
  });
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled_here) {
  BOOST_TEST(troupe::test::check_snippets({"docs/actors.md", "tests/docs/actors_test.cpp"}) >= 20);
}

BOOST_AUTO_TEST_SUITE_END()
