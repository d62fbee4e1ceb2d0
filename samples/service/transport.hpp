#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include <troupe/actor/actor.hpp>
#include <troupe/io/listener.hpp>
#include <troupe/io/stream.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/task/task.hpp>

namespace service {

struct ping {};

/// What became of a ping.
struct round_trip {
  troupe::duration time{};
  bool is_by_caf = false;  // Set by the CAF actor alone.
};

/// Whoever measures round trips: an actor of troupe, or one of CAF.
using pinging = troupe::protocol<round_trip(ping)>;

/// Owns a connection to a peer that answers pings. Here on loopback.
class wire final : public troupe::actor {
public:
  explicit wire(troupe::io::stream peer) noexcept : peer_{std::move(peer)} {}

  /// Sends a ping and waits for the pong, a second at most.
  /// Errors: ask_errc::receiver_failed, with the words of what the socket failed with.
  troupe::task<> on(ping, troupe::reply<round_trip> back);

private:
  troupe::task<troupe::duration> exchange();

  troupe::io::stream peer_;
};

/// Connects to a peer on loopback. Errors: system_error: errc::timed_out after a second; what
/// sockets fail with.
troupe::task<troupe::ref<wire>> dial(std::uint16_t peer_port);

/// What the coordinator owns: an actor to ask, whose connection ends with it.
class transport {
public:
  explicit transport(troupe::ref<pinging> by) noexcept : by_{std::move(by)} {}

  /// Errors: system_error with an ask_errc: `timeout` after a second, `receiver_gone` when the
  ///         actor was killed before, and so on.
  troupe::task<round_trip> serve(ping m) {
    co_return co_await by_.ask(m, troupe::within{std::chrono::seconds{1}});
  }

private:
  troupe::ref<pinging> by_;
};

/// The peer: answers pings on every connection, until intake ends.
troupe::task<> answer_pings(troupe::io::listener listener);

}  // namespace service
