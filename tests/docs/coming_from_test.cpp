// The snippets of docs/coming-from/, page by page. Those of caf.md are parts of samples.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/actor/supervisor.hpp>
#include <troupe/base/take.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/net/use_task.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/sync/oneshot.hpp>
#include <troupe/task/spawn.hpp>

#include "page_snippets.hpp"

using namespace std::chrono_literals;

// --- tokio.md ---

namespace from_tokio {

using answer = std::optional<std::string>;

struct get {
  std::string key;
  troupe::oneshot_sender<answer> back;
};

troupe::task<> store(troupe::receiver<get> requests, std::map<std::string, std::string> values) {
  while (auto request = co_await requests.recv()) {
    auto found = values.find(request->key);
    answer value;
    if (found != values.end()) value = found->second;
    request->back.send(std::move(value));
  }
}

troupe::task<answer> look_up(troupe::sender<get> to, std::string key) {
  auto [back, value] = troupe::oneshot<answer>();
  get request{std::move(key), std::move(back)};
  co_await to.send(troupe::take(request));
  co_return co_await troupe::timeout(1s, value);
}

namespace {

troupe::task<std::string> ask_twice() {
  auto ends = troupe::mpsc<get>(16);
  std::map<std::string, std::string> values;
  values["a"] = "1";
  troupe::spawn(store, std::move(ends.rx), values);
  answer known = co_await look_up(ends.tx, "a");
  answer unknown = co_await look_up(std::move(ends.tx), "b");
  co_return known.value_or("nothing") + ", " + unknown.value_or("nothing");
}

}  // namespace
}  // namespace from_tokio

// --- asio.md ---

namespace from_asio::theirs {

namespace asio = boost::asio;
using asio::ip::tcp;

asio::awaitable<void> session(tcp::socket peer) {
  std::array<char, 4096> buffer;
  boost::system::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  for (;;) {
    std::size_t count = co_await peer.async_read_some(asio::buffer(buffer), token);
    if (error) co_return;  // The end of the peer is an error, asio::error::eof.
    co_await asio::async_write(peer, asio::buffer(buffer, count), asio::use_awaitable);
  }
}

asio::awaitable<void> accept_all(tcp::acceptor& from) {
  for (;;) {
    tcp::socket peer = co_await from.async_accept(asio::use_awaitable);
    asio::co_spawn(from.get_executor(), session(std::move(peer)), asio::detached);
  }
}

namespace {

asio::awaitable<void> talk(tcp::acceptor& to, std::string& answer) {
  tcp::socket peer{to.get_executor()};
  co_await peer.async_connect(to.local_endpoint(), asio::use_awaitable);
  std::string text = "hello";
  co_await asio::async_write(peer, asio::buffer(text), asio::use_awaitable);
  answer.resize(text.size());
  co_await asio::async_read(peer, asio::buffer(answer), asio::use_awaitable);
  to.close();
}

}  // namespace
}  // namespace from_asio::theirs

namespace from_asio {

troupe::task<> session(troupe::io::stream peer) {
  std::array<char, 4096> buffer;
  while (std::size_t count = co_await peer.read_some(buffer)) {  // 0 is the end of the peer.
    co_await peer.write_all(std::string_view{buffer.data(), count});
  }
}

troupe::task<> accept_all(troupe::io::listener& from) {
  for (;;) {
    troupe::io::stream peer = co_await from.accept();
    troupe::spawn(session, std::move(peer));
  }
}

troupe::task<bool> wait_with_asio() {
  boost::asio::steady_timer timer{troupe::net::io_context_of_current(), 10ms};
  auto waited = co_await troupe::timeout(10s, timer.async_wait(troupe::net::use_task)).as_result();
  co_return waited.has_value();
}

namespace {

troupe::task<std::string> talk() {
  troupe::io::listener listener = troupe::net::tcp_listen("127.0.0.1", 0);
  auto accepting = troupe::spawn(accept_all, std::ref(listener));
  auto peer = co_await troupe::net::tcp_connect("127.0.0.1", listener.port());
  co_await peer.write_all("hello");
  std::string answer(5, ' ');
  co_await peer.read_exactly(answer);
  co_await accepting.cancel();
  co_return answer;
}

}  // namespace
}  // namespace from_asio

// --- erlang.md ---

namespace from_erlang {

struct add {
  int amount;
};
struct total {
  using reply = int;
};

class counter : public troupe::actor {
public:
  explicit counter(int start) : sum_{start} {}
  void on(add m) { sum_ += m.amount; }
  int on(total) { return sum_; }

private:
  int sum_;
};

troupe::task<int> use() {
  auto root = troupe::spawn<troupe::supervisor>(troupe::supervision{.max_restarts = 1});
  auto c = troupe::spawn_child<counter>(root, 40);
  co_await c.send(add{2});
  co_return co_await c.ask(total{});
}

}  // namespace from_erlang

BOOST_AUTO_TEST_SUITE(coming_from_)

BOOST_AUTO_TEST_CASE(a_store_is_asked_by_oneshots) {
  troupe::runtime rt;
  BOOST_TEST(rt.block_on(from_tokio::ask_twice) == "1, nothing");
}

BOOST_AUTO_TEST_CASE(both_echo_servers_answer) {
  namespace theirs = from_asio::theirs;
  theirs::asio::io_context io;
  theirs::tcp::acceptor acceptor{io, {theirs::asio::ip::address_v4::loopback(), 0}};
  std::string answer;
  theirs::asio::co_spawn(io, theirs::accept_all(acceptor), theirs::asio::detached);
  theirs::asio::co_spawn(io, theirs::talk(acceptor, answer), theirs::asio::detached);
  io.run();
  BOOST_TEST(answer == "hello");

  troupe::runtime rt;
  BOOST_TEST(rt.block_on(from_asio::talk) == "hello");
}

BOOST_AUTO_TEST_CASE(an_asio_operation_is_awaited_in_a_task) {
  troupe::runtime rt;
  BOOST_TEST(rt.block_on(from_asio::wait_with_asio));
}

BOOST_AUTO_TEST_CASE(a_counter_counts_under_supervision) {
  troupe::runtime rt;
  BOOST_TEST(rt.block_on(from_erlang::use) == 42);
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_pages_is_compiled) {
  const std::string here = "tests/docs/coming_from_test.cpp";
  BOOST_TEST(troupe::test::check_snippets("docs/coming-from/tokio.md", {here}) == 1);
  BOOST_TEST(troupe::test::check_snippets("docs/coming-from/asio.md", {here}) == 3);
  BOOST_TEST(troupe::test::check_snippets("docs/coming-from/erlang.md", {here}) == 2);
  BOOST_TEST(troupe::test::check_snippets(
                 "docs/coming-from/caf.md",
                 {"samples/caf/coordinator.cpp", "samples/actors/coordinator.cpp"}) == 4);
}

BOOST_AUTO_TEST_SUITE_END()
