#pragma once

#include <chrono>
#include <cstdint>
#include <source_location>
#include <string>

#include <troupe/io/listener.hpp>
#include <troupe/io/resolver.hpp>
#include <troupe/io/stream.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/task/task.hpp>

namespace troupe::inline v0_1::net {

/// How a listening TCP socket is made.
struct tcp_listen_options {
  int backlog_count = 4096;   ///< Connections that may wait to be accepted; the system has a limit.
  bool reuse_address = true;  ///< Bind also while old connections of this port are winding down.
  bool no_delay = true;       ///< Accepted connections send small writes at once (TCP_NODELAY).
};

/// Listens for TCP connections.
///
/// `address` is numeric, IPv4 or IPv6, or `localhost`, which is 127.0.0.1; no name. Port 0 lets the
/// system choose; listener.port() tells.
///
/// Errors:  system_error, whose text names address and port, such as EADDRINUSE; outside a runtime
///          a misuse, one line.
/// Threads: workers.
/// Bounds:  two descriptors, one of them a spare for when all others are gone.
/// Example: `io::listener listener = net::tcp_listen("127.0.0.1", 0);`
[[nodiscard]] io::listener tcp_listen(const std::string& address, std::uint16_t port,
                                      tcp_listen_options options = tcp_listen_options{},
                                      std::source_location where = std::source_location::current());

/// How a TCP connection is made.
struct tcp_connect_options {
  bool no_delay = true;           ///< Small writes are sent at once (TCP_NODELAY).
  io::resolver* names = nullptr;  ///< Who knows names; null: system_names().
  /// After how long without an answer the next address of a name is tried as well.
  duration next_after = std::chrono::milliseconds{250};
};

/// Connects to a TCP port of `host`, an address or a name.
///
/// The addresses of a name are tried in the resolver's order, but IPv6 and IPv4 in turn, the next
/// one as soon as one has failed or has not answered for options.next_after. The first that
/// answers is taken, the others are closed (RFC 8305, without its sorting).
///
/// Errors: system_error, whose text names host and port: that of the name, or of the address that
///         failed last, such as ECONNREFUSED. No time limit of its own but the system's: see
///         timeout().
/// Cancel: all attempts are given up, and their sockets closed.
/// Bounds: one descriptor per address that has not answered yet.
/// Example: `io::stream server = co_await net::tcp_connect("example.com", 443);`
[[nodiscard]] task<io::stream> tcp_connect(std::string host, std::uint16_t port,
                                           tcp_connect_options options = tcp_connect_options{});

}  // namespace troupe::inline v0_1::net
