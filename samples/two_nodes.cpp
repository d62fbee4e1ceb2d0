// A coordinator on one node and its clients on another, in two processes that this one starts, and
// with --kill kills and starts again.

#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <actors/coordinator.hpp>
#include <troupe/base/log.hpp>
#include <troupe/io/framing.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/node/node.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/shield.hpp>

#include "child.hpp"
#include "options.hpp"

namespace {

using namespace std::chrono_literals;

constexpr int client_count = 4;

// What the two processes agree on.
struct measure {
  using reply = troupe::duration;
};
using timing = troupe::protocol<measure>;

double microseconds(troupe::duration length) {
  return std::chrono::duration<double, std::micro>{length}.count();
}

std::string local(std::uint16_t port) { return fmt::format("127.0.0.1:{}", port); }

// --- the server: a coordinator that owns a connection ---

struct ping {};
struct transport {
  troupe::io::stream peer;
  troupe::task<troupe::duration> serve(ping) {
    auto start = troupe::now();
    co_await peer.write_all("ping\n");
    std::array<char, 5> pong{};
    co_await peer.read_exactly(pong);
    co_return troupe::now() - start;
  }
};
using coordinator = troupe::actors::coordinator<transport, ping>;

// What is published. The coordinator's own answer is a result<duration>, which does not travel; a
// request that fails does.
class desk final : public troupe::actor {
public:
  explicit desk(troupe::ref<coordinator> line) : line_{std::move(line)} {}

  troupe::task<> on(measure, troupe::reply<troupe::duration> back) {
    auto asked = co_await line_.ask(ping{}).as_result();
    if (!asked) co_return back.fail(troupe::ask_errc::rejected, asked.error().message());
    if (!*asked) co_return back.fail(troupe::ask_errc::rejected, asked->error().message());
    back.answer(**asked);
  }

private:
  troupe::ref<coordinator> line_;
};

// The other end of the connection.
troupe::task<> answer_pings(troupe::io::listener listener) {
  for (;;) {
    troupe::io::stream socket = co_await listener.accept();
    troupe::io::line_reader pings{socket};
    while (co_await pings.next_line()) co_await socket.write_all("pong\n");
  }
}

troupe::task<> serve(std::uint16_t port) {
  troupe::io::listener pongs = troupe::net::tcp_listen("127.0.0.1", 0);
  auto dial = [peer = pongs.port()]() -> troupe::task<transport> {
    auto peer_stream = co_await troupe::net::tcp_connect("127.0.0.1", peer);
    co_return transport{std::move(peer_stream)};
  };
  auto line = troupe::spawn<coordinator>(dial);
  troupe::node_options options;
  options.name = "server";
  options.listen_on = local(port);
  troupe::node here = co_await troupe::node::start(options);
  here.publish<timing>("coordinator", troupe::spawn<desk>(line));
  fmt::print("listening on {}\n", local(here.port()));
  try {
    co_await answer_pings(std::move(pongs));
  } catch (const troupe::canceled&) {
    // SIGTERM, or Ctrl-C.
  }
  co_await troupe::shield(here.shut_down());
  fmt::print("stopped\n");
}

// --- the clients ---

struct tally {
  int answered = 0;
  int failed = 0;
};

troupe::task<> measure_often(troupe::remote_node there, troupe::ref<timing> at, int number,
                             int rounds, tally& all) {
  bool is_down = false;
  for (int done = 0; done < rounds;) {
    auto rtt = co_await at.ask(measure{}).as_result();
    if (rtt) {
      if (done == 0) fmt::print("client {}: {:.1f} us\n", number, microseconds(*rtt));
      if (std::exchange(is_down, false)) {
        fmt::print("back: client {} goes on after {} answers: {:.1f} us\n", number, done,
                   microseconds(*rtt));
      }
      ++done;
      if (++all.answered % 20 == 0) fmt::print("answered {}\n", all.answered);
      co_await troupe::sleep_for(20ms);
      continue;
    }
    bool is_node_down = rtt.error() == troupe::ask_errc::node_down;
    ++all.failed;
    if (!std::exchange(is_down, true)) {
      fmt::print("{}: client {} waits: {}\n", is_node_down ? "node_down" : "failed", number,
                 rtt.error().message());
    }
    co_await there.up();
    co_await troupe::sleep_for(10ms);  // The name is looked up again after that.
  }
}

troupe::task<int> be_client(std::uint16_t port, int rounds) {
  troupe::node_options options;
  options.name = "client";
  troupe::node here = co_await troupe::node::start(options);
  troupe::remote_node there = co_await here.connect(local(port));
  auto at = co_await there.find<timing>("coordinator");
  tally all;
  co_await troupe::scope([&](troupe::scope_handle clients) -> troupe::task<> {
    for (int i = 1; i <= client_count; ++i) {
      clients.spawn(
          [&all, there, at, i, rounds] { return measure_often(there, at, i, rounds, all); });
    }
    co_return;
  });
  fmt::print("done: answered={} failed={}\n", all.answered, all.failed);
  co_await here.shut_down();
  co_return 0;
}

// --- both of them, and what is done to them ---

samples::child start_server(const std::string& port) {
  return {"server", {"--role", "server", "--port", port}};
}
samples::child start_clients(const std::string& port, int rounds) {
  return {"clients", {"--role", "client", "--port", port, "--rounds", std::to_string(rounds)}};
}

troupe::task<> play(bool kills, int rounds) {
  samples::child server = start_server("0");
  std::string port = co_await server.line("listening on 127.0.0.1:");
  samples::child clients = start_clients(port, rounds);
  if (kills) {
    co_await clients.line("answered ");
    co_await server.kill();
    fmt::print("the server is killed\n");
    co_await clients.line("node_down: ");
    server = start_server(port);
    fmt::print("the server is started again\n");
    co_await clients.line("back: ");
    co_await clients.kill();
    fmt::print("the clients are killed\n");
    co_await server.line("server: the link from ");
    clients = start_clients(port, rounds);
    fmt::print("the clients are started again\n");
  }
  std::string figures = co_await clients.line("done: ");
  co_await clients.end();
  co_await server.stop();
  std::string expected = fmt::format("answered={} failed=0", client_count * rounds);
  if (figures != expected) {
    throw std::runtime_error{fmt::format("{} in place of {}", figures, expected)};
  }
  fmt::print("two_nodes: killed={} {} ok\n", kills ? 2 : 0, figures);
}

troupe::task<int> play_a_part(std::string role, std::uint16_t port, int rounds) {
  if (role == "client") co_return co_await be_client(port, rounds);
  co_await serve(port);
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  bool kills = options.flag("--kill");
  std::string role = options.text("--role", "server|client");
  auto port = options.number<std::uint16_t>("--port", 0, 0, 65535);
  int rounds = options.number("--rounds", 25, 1, 1'000'000);
  auto parent = options.number<pid_t>("--parent", 0, 1, 1 << 22);
  options.end();
  if (!role.empty() && role != "server" && role != "client") {
    fmt::print(stderr, "two_nodes: --role is '{}': it must be server or client\n", role);
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // Each line is seen at once, also through a pipe.
  if (role.empty()) return troupe::run(play, kills, rounds);
  samples::be_part_of(parent);
  // Also what a node tells of its links.
  troupe::set_log_sink([](troupe::log_level level, std::string_view text) {
    fmt::print(level >= troupe::log_level::warning ? stderr : stdout, "{}\n", text);
  });
  return troupe::run(play_a_part, role, port, rounds);
}
