// The snippets of docs/guide/patterns.md with the ready-made actors; guide_patterns_test.cpp checks
// that each block of the page is compiled.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

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
#include <troupe/io/framing.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>

#include <sched/virtual_worker.hpp>

#include "page_output.hpp"

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
  std::int64_t on(total) const { return sum_; }

private:
  std::int64_t sum_ = 0;
};

class echo final : public troupe::actors::connection {
public:
  using connection::connection;

private:
  troupe::task<> on_frame(std::string line) override { co_await write(line + "\n"); }
};

troupe::ref<troupe::actors::listener> listen(troupe::io::listener source) {
  auto make = [](troupe::io::stream peer) { return troupe::spawn<echo>(std::move(peer)); };
  auto open = troupe::spawn<troupe::actors::listener>(std::move(source), make);
  return open;
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

troupe::task<> gather() {
  auto print = [](int sum, std::size_t count) { fmt::print("{} of {}\n", sum, count); };
  auto sums = troupe::spawn<troupe::actors::aggregator<int>>(print, 30s);
  co_await sums.send(troupe::actors::add{5});
}

struct fetch {
  int page;
};

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

troupe::task<> break_off(troupe::ref<counter> c) {
  troupe::actors::circuit_breaker breaker;
  auto sum = co_await breaker.call([&] { return c.ask(total{}); });
  BOOST_TEST(sum == 0);
}

troupe::task<> keep_to_a_rate() {
  troupe::actors::rate_limiter limiter{100, 1s, 10};
  co_await limiter.acquire();
}

troupe::task<> tick() {
  auto c = troupe::spawn<counter>();
  troupe::spawn<troupe::actors::ticker<add>>(c, 1s, add{1});
  co_await troupe::sleep_for(3500ms);
  BOOST_TEST((co_await c.ask(total{})) == 3);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(guide_ready_made_, troupe::test::virtual_worker)

BOOST_AUTO_TEST_CASE(each_session_has_an_actor) {
  troupe::runtime real;
  real.block_on([]() -> troupe::task<> {
    troupe::io::listener source = troupe::net::tcp_listen("127.0.0.1", 0);
    std::uint16_t port = source.port();
    auto open = listen(std::move(source));
    auto peer = co_await troupe::net::tcp_connect("127.0.0.1", port);
    co_await peer.write_all("hello\n");
    troupe::io::line_reader lines{peer};
    auto line = co_await lines.next_line();
    BOOST_TEST(line.value_or("") == "hello");
    open.stop();
    co_await open.ended();
  });
}

BOOST_AUTO_TEST_CASE(a_pool_a_topic_and_a_cache) {
  rt.block_on(share_out);
  rt.block_on(publish);
  rt.block_on(keep_users);
}

BOOST_AUTO_TEST_CASE(an_aggregator_flushes_its_rest_at_its_end) {
  troupe::test::captured_output output;
  rt.block_on(gather);
  rt.block_on([]() -> troupe::task<> { co_await troupe::sleep_for(1ms); });
  auto lines = output.lines();
  BOOST_REQUIRE(lines.size() == 1U);
  BOOST_TEST(lines.front() == "5 of 1");
}

BOOST_AUTO_TEST_CASE(a_coordinator_and_a_ticker) {
  rt.block_on(coordinate);
  rt.block_on(tick);
}

BOOST_AUTO_TEST_CASE(retry_limiter_and_breaker_go_around_any_request) {
  rt.block_on([]() -> troupe::task<> {
    auto c = troupe::spawn<counter>();
    co_await ask_again(c);
    co_await keep_to_a_rate();
    co_await break_off(c);
  });
}

BOOST_AUTO_TEST_SUITE_END()
