#pragma once

#include <cstdint>
#include <string>

#include <troupe/io/listener.hpp>
#include <troupe/io/stream.hpp>
#include <troupe/task/task.hpp>

namespace troupe::net {

/// How a listening TCP socket is made.
struct tcp_listen_options {
  int backlog_count = 4096;   ///< Connections that may wait to be accepted; the system has a limit.
  bool reuse_address = true;  ///< Bind also while old connections of this port are winding down.
  bool no_delay = true;       ///< Accepted connections send small writes at once (TCP_NODELAY).
};

/// Listens for TCP connections.
///
/// `address` is numeric, IPv4 or IPv6, or `localhost`, which is 127.0.0.1. Port 0 lets the system
/// choose; listener.port() tells.
///
/// Errors:  system_error, whose text names address and port, such as EADDRINUSE; outside a runtime
///          a misuse, one line.
/// Threads: workers.
/// Bounds:  two descriptors, one of them a spare for when all others are gone.
/// Example: `io::listener listener = net::tcp_listen("127.0.0.1", 0);`
[[nodiscard]] io::listener tcp_listen(const std::string& address, std::uint16_t port,
                                      tcp_listen_options options = tcp_listen_options{});

/// How a TCP connection is made.
struct tcp_connect_options {
  bool no_delay = true;  ///< Small writes are sent at once (TCP_NODELAY).
};

/// Connects to a TCP port; `host` as for tcp_listen().
///
/// Errors: system_error, whose text names host and port, such as ECONNREFUSED.
/// Cancel: the attempt is given up, and its socket closed.
/// Example: `io::stream server = co_await net::tcp_connect("127.0.0.1", 7000);`
[[nodiscard]] task<io::stream> tcp_connect(std::string host, std::uint16_t port,
                                           tcp_connect_options options = tcp_connect_options{});

}  // namespace troupe::net
