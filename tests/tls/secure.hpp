#pragma once

#include <memory>
#include <string>
#include <utility>

#include <boost/test/unit_test.hpp>

#include <troupe/io/stream.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>
#include <troupe/tls/tls.hpp>

#include <io/scripted_wire.hpp>
#include <net/connected.hpp>
#include <tls/authority.hpp>
#include <tls/raw_peer.hpp>

namespace troupe::tls {

inline identity identity_of(const papers& own) {
  identity made;
  made.certificate_chain = pem::text(own.certificate);
  made.private_key = pem::text(own.key);
  return made;
}

inline server_config serving(const papers& own) {
  server_config made;
  made.self = identity_of(own);
  return made;
}

inline client_config trusting(const authority& whom) {
  client_config made;
  made.trusted = pem::text(whom.certificate());
  return made;
}

/// What a handshake came to, on one side.
struct outcome {
  boost::system::error_code code;
  std::string text;
  std::optional<io::stream> made;

  [[nodiscard]] bool says(std::string_view words) const {
    return text.find(words) != std::string::npos;
  }
};

inline task<outcome> outcome_of(task<io::stream> handshake) {
  outcome came;
  try {
    came.made.emplace(co_await std::move(handshake));
  } catch (const system_error& error) {
    came.code = error.code();
    came.text = error.what();
  }
  co_return came;
}

struct both_outcomes {
  outcome client, server;
};

/// Both handshakes of one connection on loopback.
inline task<both_outcomes> shake_hands(context client, context server,
                                       std::string host = "server.test") {
  net::connection wires = co_await net::connect_pair();
  auto accepting = spawn(outcome_of(tls::accept(std::move(wires.far), server)));
  both_outcomes both;
  both.client = co_await outcome_of(tls::connect(std::move(wires.near), client, std::move(host)));
  if (both.client.code.failed()) both.client.made.reset();
  both.server = co_await accepting;
  co_return both;
}

/// Two ends of one TLS connection on loopback.
struct secure_connection {
  io::stream client, server;
};

inline task<secure_connection> secure_pair(context client, context server) {
  both_outcomes both = co_await shake_hands(std::move(client), std::move(server));
  if (both.client.code.failed()) throw system_error{both.client.code, both.client.text};
  if (both.server.code.failed()) throw system_error{both.server.code, both.server.text};
  secure_connection made{std::move(*both.client.made), std::move(*both.server.made)};
  co_return made;
}

/// Says a line each way.
inline task<> check_talk(secure_connection& between) {
  std::array<char, 4> buffer{};
  co_await between.client.write_all("ping");
  co_await between.server.read_exactly(buffer);
  BOOST_TEST(std::string_view(buffer.data(), 4) == "ping");
  co_await between.server.write_all("pong");
  co_await between.client.read_exactly(buffer);
  BOOST_TEST(std::string_view(buffer.data(), 4) == "pong");
}

/// Returns: what the stream under test has written to `wire` so far.
inline std::string written_to(io::scripted_wire& wire) {
  pal::lock guard{wire.mutex};
  return std::exchange(wire.outgoing, {});
}

/// A stream of ours on a wire whose other end is a raw_peer that the test plays, on one worker.
struct played {
  std::shared_ptr<io::scripted_wire> wire = std::make_shared<io::scripted_wire>();
  std::string heard;  // The data that the peer has got.

  /// Moves bytes both ways, as much as there is.
  void exchange(raw_peer& peer) {
    heard += peer.take(written_to(*wire));
    if (std::string bytes = peer.give(); !bytes.empty()) wire->feed(bytes);
  }

  /// Plays the peer until `handshake`, which was begun on the wire, is over.
  task<io::stream> establish(raw_peer& peer, task<io::stream> handshake) {
    bool is_over = false;
    auto shaking = spawn(outcome_of(std::move(handshake)));
    auto watching = spawn([&]() -> task<outcome> {
      outcome came = co_await shaking;
      is_over = true;
      co_return came;
    });
    while (!is_over) {
      exchange(peer);
      co_await yield();
    }
    outcome came = co_await watching;
    if (came.code.failed()) throw system_error{came.code, came.text};
    exchange(peer);
    co_return std::move(*came.made);
  }
  task<io::stream> accept(raw_peer& peer, context with) {
    return establish(peer, tls::accept(io::open_scripted(wire), std::move(with)));
  }
  task<io::stream> connect(raw_peer& peer, context with) {
    return establish(peer, tls::connect(io::open_scripted(wire), std::move(with), "server.test"));
  }
};

struct one_worker {
  static runtime_config config(pal::clock* clock = nullptr) {
    runtime_config one;
    one.workers = 1;
    if (clock != nullptr) one.clock = clock;
    return one;
  }
};

/// Lets the other tasks of the one worker come to where they wait. A worker that goes on has its
/// eyes on timers every 61 turns.
inline task<> settle() {
  for (int i = 0; i < 200; ++i) co_await yield();
}

/// Returns: the next bytes of `from`, or the code of its error in `code`.
inline task<std::string> next_bytes(io::stream& from, boost::system::error_code& code) {
  std::array<char, 32768> buffer{};
  auto read = co_await from.read_some(buffer).as_result();
  if (read.has_error()) {
    code = read.error();
    co_return std::string{};
  }
  co_return std::string(buffer.data(), *read);
}

}  // namespace troupe::tls
