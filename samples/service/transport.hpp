#pragma once

#include <cstdint>
#include <utility>

#include <troupe/io/listener.hpp>
#include <troupe/io/stream.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/task/task.hpp>

namespace service {

struct ping {};

/// What the coordinator owns: a way to a peer that answers pings. Here a connection on loopback.
class transport {
public:
  explicit transport(troupe::io::stream peer) noexcept : peer_{std::move(peer)} {}

  /// Sends a ping and waits for the pong.
  ///
  /// Returns: the time between them.
  /// Errors:  system_error: errc::timed_out after a second; what sockets fail with.
  troupe::task<troupe::duration> serve(ping);

private:
  troupe::task<troupe::duration> exchange();

  troupe::io::stream peer_;
};

/// Connects to a peer on loopback. Errors: as serve().
troupe::task<transport> dial(std::uint16_t peer_port);

/// The peer: answers pings on every connection, until intake ends.
troupe::task<> answer_pings(troupe::io::listener listener);

}  // namespace service
