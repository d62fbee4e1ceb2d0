#pragma once

#include <cstdint>
#include <optional>

#include <troupe/io/listener.hpp>
#include <troupe/io/stream.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/task/task.hpp>

namespace service {

/// What the coordinator owns: a way to a peer that answers pings. Here a connection on loopback.
class transport {
public:
  explicit transport(std::uint16_t peer_port) noexcept : peer_port_{peer_port} {}

  /// Sends a ping and waits for the pong; connects first where there is no connection.
  ///
  /// Returns: the time between them.
  /// Errors:  system_error: errc::timed_out after a second; what sockets fail with. The connection
  /// is
  ///          then given up, and the next ping makes a new one.
  troupe::task<troupe::duration> ping();

private:
  troupe::task<troupe::duration> exchange();

  std::uint16_t peer_port_;
  std::optional<troupe::io::stream> peer_;
};

/// The peer: answers pings on every connection, until intake ends.
troupe::task<> answer_pings(troupe::io::listener listener);

}  // namespace service
