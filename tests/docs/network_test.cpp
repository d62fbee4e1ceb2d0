// The snippets of docs/network.md, in its order. Each block of the page stands here line by line,
// but for the indentation; the last case holds that.

#include <array>
#include <chrono>
#include <csignal>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <boost/test/unit_test.hpp>

#include <troupe/io/framing.hpp>
#include <troupe/net/files.hpp>
#include <troupe/net/process.hpp>
#include <troupe/net/signals.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/net/udp.hpp>
#include <troupe/net/unix.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <net/temp_dir.hpp>

#include "page_snippets.hpp"

using namespace std::chrono_literals;

namespace {

troupe::task<> serve(troupe::io::stream peer) {
  std::array<std::byte, 4096> buffer;
  while (std::size_t count = co_await peer.read_some(buffer)) {
    co_await peer.write_all(std::span{buffer}.first(count));
  }
}

troupe::task<> echo_server(troupe::io::listener listener) {
  for (;;) {
    troupe::io::stream peer = co_await listener.accept();
    troupe::spawn(serve, std::move(peer)).detach();
  }
}

troupe::task<std::string> first_line(std::string host, std::uint16_t port) {
  auto peer = co_await troupe::timeout(2s, troupe::net::tcp_connect(host, port));
  troupe::io::line_reader lines{peer};
  auto line = co_await lines.next_line();
  co_return line.value_or("");
}

troupe::task<> local_service(std::string path) {
  troupe::net::unix_listen_options ours;
  ours.mode = 0600;
  troupe::io::listener listener = troupe::net::unix_listen(path, ours);
  troupe::io::stream near = co_await troupe::net::unix_connect(path);
  troupe::io::stream far = co_await listener.accept();
  auto who = troupe::net::credentials_of_peer(far).value();
  fmt::print("process {} of user {}\n", who.process, who.user);
}

troupe::task<> echo_datagrams(troupe::io::datagram_socket& socket) {
  std::array<std::byte, 1500> buffer;
  for (;;) {
    troupe::io::datagram got = co_await socket.receive_from(buffer);
    co_await socket.send_to(std::span{buffer}.first(got.size_bytes), got.from);
  }
}

troupe::task<std::string> ask_by_datagram(std::uint16_t port) {
  auto socket = co_await troupe::net::udp_connect("localhost", port);
  co_await socket.send("question");
  std::array<char, 1500> buffer;
  auto got = co_await troupe::timeout(1s, socket.receive_from(buffer));
  co_return std::string{buffer.data(), got.size_bytes};
}

troupe::task<> reload_on_hangup(int& reloads) {
  troupe::net::signals hangups{SIGHUP, SIGUSR1};
  for (;;) {
    int number = co_await hangups.next();
    fmt::print("signal {}: reading the settings again\n", number);
    ++reloads;
  }
}

troupe::task<std::string> count_starts(std::string path) {
  std::string count = "0";
  try {
    count = co_await troupe::net::read_file(path, 100);
  } catch (const troupe::system_error& error) {
    if (error.code() != boost::system::errc::no_such_file_or_directory) throw;
  }
  count = std::to_string(std::stoi(count) + 1);
  troupe::net::write_options whole;
  whole.mode = troupe::net::write_mode::replace;
  co_await troupe::net::write_file(path, count, whole);
  co_return count;
}

troupe::task<std::string> sorted(std::string text) {
  troupe::net::run_process_options options;
  options.input = std::move(text);
  std::vector<std::string> command{"sort"};
  auto done = co_await troupe::net::run_process(command, options);
  if (!done.status.is_success()) throw std::runtime_error{done.status.text() + ": " + done.err};
  co_return done.out;
}

troupe::task<troupe::net::exit_status> talk_to_a_child() {
  troupe::net::process_options options;
  options.in = options.out = troupe::net::stdio::pipe;
  troupe::net::process child = troupe::net::spawn_process({"cat"}, options);
  co_await child.in().write_all("hello\n");
  troupe::io::line_reader lines{child.out()};
  auto answer = co_await lines.next_line();
  fmt::print("{}\n", answer.value_or("nothing"));
  co_return co_await child.terminate(5s);
}

// Sends one line to whoever connects.
troupe::task<> greet(troupe::io::listener& listener) {
  troupe::io::stream peer = co_await listener.accept();
  co_await peer.write_all("hello\r\nand more");
}

struct with_network {
  troupe::runtime rt;
  troupe::test::temp_dir folder;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(network_page_, with_network)

BOOST_AUTO_TEST_CASE(an_echo_server_answers) {
  auto work = []() -> troupe::task<std::string> {
    troupe::io::listener listener = troupe::net::tcp_listen("127.0.0.1", 0);
    std::uint16_t port = listener.port();
    auto serving = troupe::spawn(echo_server, std::move(listener));
    troupe::io::stream peer = co_await troupe::net::tcp_connect("localhost", port);
    co_await peer.write_all("hello");
    std::string answer(5, ' ');
    co_await peer.read_exactly(answer);
    co_await serving.cancel();
    co_return answer;
  };
  BOOST_TEST(rt.block_on(work) == "hello");
}

BOOST_AUTO_TEST_CASE(the_first_line_is_read) {
  auto work = []() -> troupe::task<std::string> {
    troupe::io::listener listener = troupe::net::tcp_listen("127.0.0.1", 0);
    auto greeting = troupe::spawn([&]() -> troupe::task<> { co_await greet(listener); });
    std::string line = co_await first_line("127.0.0.1", listener.port());
    co_await greeting;
    co_return line;
  };
  BOOST_TEST(rt.block_on(work) == "hello");
}

BOOST_AUTO_TEST_CASE(a_local_service_knows_its_client) {
  rt.block_on(local_service, folder.at("socket"));
  BOOST_TEST(folder.entry_count() == 0u);
}

BOOST_AUTO_TEST_CASE(datagrams_are_answered) {
  auto work = []() -> troupe::task<std::string> {
    auto socket = troupe::net::udp_bind("127.0.0.1", 0);
    auto serving = troupe::spawn([&]() -> troupe::task<> { co_await echo_datagrams(socket); });
    std::string answer = co_await ask_by_datagram(socket.local_endpoint().port());
    co_await serving.cancel();
    co_return answer;
  };
  BOOST_TEST(rt.block_on(work) == "question");
}

BOOST_AUTO_TEST_CASE(a_hangup_reloads) {
  auto work = []() -> troupe::task<int> {
    int reloads = 0;
    troupe::net::signals first{SIGHUP};  // Before the signal is sent, whoever runs first.
    auto reloading = troupe::spawn([&]() -> troupe::task<> { co_await reload_on_hangup(reloads); });
    while (reloads == 0) {
      std::raise(SIGHUP);
      (void)co_await first.next();
      co_await troupe::yield();
    }
    co_await reloading.cancel();
    co_return reloads;
  };
  troupe::runtime_config one;
  one.workers = 1;
  BOOST_TEST(troupe::runtime{one}.block_on(work) >= 1);
}

BOOST_AUTO_TEST_CASE(starts_are_counted) {
  BOOST_TEST(rt.block_on(count_starts, folder.at("starts")) == "1");
  BOOST_TEST(rt.block_on(count_starts, folder.at("starts")) == "2");
}

BOOST_AUTO_TEST_CASE(processes_are_run_and_talked_to) {
  BOOST_TEST(rt.block_on(sorted, "b\na\n") == "a\nb\n");
  BOOST_TEST(rt.block_on(talk_to_a_child).signal().value() == SIGTERM);
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled_here) {
  BOOST_TEST(troupe::test::check_snippets({"docs/network.md", "tests/docs/network_test.cpp"}) >= 7);
}

BOOST_AUTO_TEST_SUITE_END()
