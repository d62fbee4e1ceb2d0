// Servers and clients on several nodes, and a network that delays, loses, cuts and resets.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include <troupe/io/listener.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/spawn.hpp>

#include "families.hpp"

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t port = 7000;
constexpr duration patience = 60s;  // Of who reads, and gets nothing.

// One direction of a connection.
struct flow {
  std::size_t offered = 0;  // Bytes that may have been sent.
  std::size_t written = 0;  // That were sent.
  std::size_t read = 0;
  bool is_shut = false;    // In order: no byte may be missing.
  bool is_left = false;    // Its sender has closed it, or was killed.
  bool has_ended = false;  // Its reader was told of the end.
};

struct connection {
  flow up, down;
  // Somebody was told that it is broken; who reads at that end then sees the end.
  bool is_broken = false;
};

// Lies behind a stream: ends before it is closed.
class leaving {
public:
  explicit leaving(flow& of) : of_{of} {}
  leaving(const leaving&) = delete;
  leaving& operator=(const leaving&) = delete;
  ~leaving() { of_.is_left = true; }

private:
  flow& of_;
};

struct state {
  explicit state(scene& in)
      : here{in},
        clients(in.between(1, 3)),
        rounds(in.between(1, 4)),
        most_bytes(in.percent(70) ? in.between(1, 4'000) : in.between(1, 300'000)),
        piece(in.between(1, in.percent(50) ? 100 : 20'000)),
        is_faulty(in.percent(70)) {}

  scene& here;
  const std::size_t clients, rounds, most_bytes, piece;
  const bool is_faulty;
  std::deque<connection> connections;
  std::vector<sim::node*> nodes;  // The server is the first.
  std::vector<char> has_started;

  [[nodiscard]] bool has_clients() const {
    return std::any_of(nodes.begin() + 1, nodes.end(), [](auto* each) { return each->is_up(); });
  }
  bool has_broken_off = false;  // A client has, so that its server may see a reset.
};

// What stands at one place of a flow: all of them differ from their neighbours.
std::byte byte_at(std::uint64_t id, bool is_up, std::size_t place) {
  std::uint64_t mixed =
      (id * 2 + (is_up ? 1 : 0)) * 0x9e3779b97f4a7c15U + place * 0xff51afd7ed558ccdU;
  return static_cast<std::byte>(mixed >> 56U);
}

std::vector<std::byte> bytes_of(std::uint64_t id, bool is_up, std::size_t from, std::size_t count) {
  std::vector<std::byte> made(count);
  for (std::size_t i = 0; i < count; ++i) made[i] = byte_at(id, is_up, from + i);
  return made;
}

task<> send_pieces(state& in, io::stream& to, std::uint64_t id, bool is_up, std::size_t count) {
  connection& on = in.connections[id];
  flow& mine = is_up ? on.up : on.down;
  auto bytes = bytes_of(id, is_up, mine.written, count);
  mine.offered = mine.written + count;
  if (in.here.percent(50)) {
    co_await to.write_all(std::span<const std::byte>{bytes});
    mine.written += count;
    co_return;
  }
  for (std::size_t at = 0; at < count;) {
    auto limit = 1us + in.here.some_time();
    auto rest = std::span<const std::byte>{bytes}.subspan(at);
    auto sent = co_await timeout(limit, to.write_some(rest)).as_result();
    if (!sent && sent.error() == errc::timed_out) continue;
    at += sent.value();
    mine.written += *sent;
  }
}

task<> send_bytes(state& in, io::stream& to, std::uint64_t id, bool is_up, std::size_t count) {
  try {
    co_await send_pieces(in, to, id, is_up, count);
  } catch (const system_error&) {
    in.connections[id].is_broken = true;
    throw;
  }
}

// Returns: how many bytes have come, all of them right; 0 at the end.
task<std::size_t> receive_bytes(state& in, io::stream& from, std::uint64_t id, bool is_up) {
  connection& on = in.connections[id];
  flow& mine = is_up ? on.up : on.down;
  std::vector<std::byte> room(in.here.between(1, in.piece));
  auto limit = in.here.percent(30) ? 1us + in.here.some_time() : patience;
  auto got = co_await timeout(limit, from.read_some(room)).as_result();
  while (!got && got.error() == errc::timed_out && limit != patience) {
    limit = patience;
    got = co_await timeout(limit, from.read_some(room)).as_result();
  }
  std::size_t count = got.value();  // Throws what went wrong.
  in.here.check(mine.read + count <= mine.offered, "{} bytes are read, {} were sent",
                mine.read + count, mine.offered);
  for (std::size_t i = 0; i < count; ++i) {
    in.here.check(room[i] == byte_at(id, is_up, mine.read + i),
                  "byte {} of connection {} comes wrong", mine.read + i, id);
  }
  mine.read += count;
  if (count == 0) {
    // Of one that its server has not begun nobody knows.
    bool is_left = mine.is_left || on.is_broken || (in.is_faulty && mine.read == 0);
    bool is_right = mine.is_shut ? mine.read == mine.written : is_left;
    in.here.check(is_right, "a direction ends after {} bytes, {} were sent, and it was {}",
                  mine.read, mine.written, mine.is_shut ? "shut" : "not shut");
    mine.has_ended = true;
  }
  co_return count;
}

task<> shut(state& in, io::stream& to, std::uint64_t id, bool is_up) {
  connection& on = in.connections[id];
  flow& mine = is_up ? on.up : on.down;
  mine.is_shut = true;
  co_await to.shutdown();
  if (in.here.percent(30)) co_await sleep_for(in.here.some_time());
}

task<> echo(state& in, io::stream peer) {
  alive frame;
  try {
    std::array<std::byte, sizeof(std::uint64_t)> head;
    co_await timeout(patience, peer.read_exactly(head));
    std::uint64_t id = 0;
    std::memcpy(&id, head.data(), sizeof id);
    leaving last{in.connections[id].down};
    for (;;) {
      std::size_t count = co_await receive_bytes(in, peer, id, true);
      if (count == 0) break;
      if (in.here.percent(20)) co_await sleep_for(in.here.some_time());
      co_await timeout(patience, send_bytes(in, peer, id, false, count));
    }
    co_await shut(in, peer, id, false);
  } catch (const system_error& error) {
    in.here.check(in.is_faulty || in.has_broken_off, "a server has an error in a sound network: {}",
                  error.what());
  }
}

task<> serve(state& in) {
  alive frame;
  io::listener door = net::tcp_listen("0.0.0.0", port);
  for (;;) {
    auto peer = co_await timeout(3min, door.accept()).as_result();
    if (!peer && peer.error() == errc::timed_out && !in.has_clients()) co_return;
    if (peer) spawn(echo, std::ref(in), std::move(*peer)).detach();
  }
}

task<> talk(state& in) {
  alive frame;
  std::uint64_t id = in.connections.size();
  in.connections.emplace_back();
  std::string host = in.here.percent(50) ? "n1" : "10.0.0.1";
  io::stream server = co_await timeout(patience, net::tcp_connect(host, port));
  leaving last{in.connections[id].up};
  std::array<std::byte, sizeof id> head;
  std::memcpy(head.data(), &id, sizeof id);
  co_await server.write_all(std::span<const std::byte>{head});
  std::size_t total = in.here.between(0, in.most_bytes);
  co_await scope([&](scope_handle open) -> task<> {
    open.spawn([&]() -> task<> {
      for (std::size_t sent = 0; sent < total;) {
        std::size_t count = std::min<std::size_t>(in.here.between(1, in.piece), total - sent);
        co_await timeout(patience, send_bytes(in, server, id, true, count));
        sent += count;
        if (in.here.percent(20)) co_await sleep_for(in.here.some_time());
      }
      co_await shut(in, server, id, true);
    });
    for (;;) {
      std::size_t count = co_await receive_bytes(in, server, id, false);
      if (count == 0) break;
    }
  });
  const flow& down = in.connections[id].down;
  in.here.check(down.read == total || !down.is_shut, "{} bytes of {} come back", down.read, total);
}

task<> talk_often(state& in) {
  alive frame;
  for (std::size_t i = 0; i < in.rounds; ++i) {
    try {
      if (in.here.percent(15)) {
        in.has_broken_off = true;
        auto limit = in.here.some_time();
        (void)co_await timeout(limit, talk(in)).as_result();  // Left at some moment.
      } else {
        co_await talk(in);
      }
    } catch (const system_error& error) {
      in.here.check(in.is_faulty, "a client has an error in a sound network: {}", error.what());
    }
    co_await sleep_for(in.here.some_time());
  }
}

void do_harm(state& in) {
  scene& here = in.here;
  const auto& nodes = in.nodes;
  sim::network& net = here.world().network();
  sim::node& server = *nodes[0];
  sim::node& client = *nodes[here.between(1, nodes.size() - 1)];
  std::size_t which = here.below(nodes.size());
  sim::node& any = *nodes[which];
  switch (here.below(10)) {
    case 0:
      return net.partition(server, client);
    case 1:
      return net.heal_all();
    case 2:
      return net.cut(client, server);
    case 3:
      (void)net.reset_any();
      return;
    case 4:
      return net.set_delay(0ns, 1ms * here.between(1, 300));
    case 5:
      return net.set_loss(static_cast<double>(here.below(40)) / 100);
    case 6:
      return net.throttle(server, client, here.between(500, 100'000));
    case 7:
      any.kill();
      if (which == 0) {
        for (connection& each : in.connections) each.down.is_left = true;
      }
      here.world().after(here.some_time(), [&in, &any, which] {
        if (!any.is_up() && in.has_started[which]) any.restart();
      });
      return;
    case 8:
      return net.set_names_down(here.percent(50));
    default:
      (void)net.reset(server, client);
  }
}

}  // namespace

void play_streams(scene& here) {
  auto& in = here.keep<state>(here);
  auto& nodes = in.nodes;
  for (std::size_t i = 0; i <= in.clients; ++i) nodes.push_back(&here.add_node());
  sim::network& net = here.world().network();
  here.expect_system_errors();  // Of what is left while it fails.
  net.set_patience(10s);
  if (here.percent(50)) net.set_delay(0ns, 1ms * here.between(1, 50));
  if (here.percent(30)) net.set_buffer(here.between(1, 2000));
  in.has_started.assign(nodes.size(), false);
  in.has_started[0] = true;
  nodes[0]->start([&in]() -> task<> { return serve(in); });
  for (std::size_t i = 1; i <= in.clients; ++i) {
    // The server is there first.
    here.world().after(1ms + here.some_time(), [&in, i, node = nodes[i]] {
      in.has_started[i] = true;
      node->start([&in]() -> task<> { return talk_often(in); });
    });
  }
  std::size_t harms = in.is_faulty ? here.between(1, 10) : 0;
  for (std::size_t i = 0; i < harms; ++i) {
    here.world().after(1ms + 4 * here.some_time(), [&in] { do_harm(in); });
  }
  here.run(24h);
  here.check(net.connection_count() == 0, "{} connections are left", net.connection_count());
  here.end_world();
}

}  // namespace troupe::scenarios
