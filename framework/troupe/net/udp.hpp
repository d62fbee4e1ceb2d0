#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <troupe/io/datagram.hpp>
#include <troupe/io/resolver.hpp>
#include <troupe/task/task.hpp>

namespace troupe::inline v0_1::net {

/// How a UDP socket is made.
struct udp_options {
  bool reuse_address = false;            ///< Several sockets may bind one port (SO_REUSEADDR).
  bool broadcast = false;                ///< Broadcast addresses may be sent to.
  std::size_t receive_buffer_bytes = 0;  ///< What the kernel holds for us; 0: as it likes.
  io::resolver* names = nullptr;         ///< Who knows names, for udp_connect(); null: the system.
};

/// Makes a UDP socket that receives what comes to `address`, which is numeric, IPv4 or IPv6, or
/// `localhost`. Port 0 lets the system choose; local_endpoint() tells.
///
/// Errors:  system_error, whose text names address and port, such as EADDRINUSE; outside a runtime
///          a misuse, one line.
/// Threads: workers.
/// Bounds:  one descriptor.
/// Example: `io::datagram_socket socket = net::udp_bind("127.0.0.1", 0);`
[[nodiscard]] io::datagram_socket udp_bind(const std::string& address, std::uint16_t port,
                                           udp_options options = udp_options{});

/// Makes a UDP socket with one peer: send() goes there, and only what comes from there is received.
/// Of a name the first address counts to which the system knows a way; nothing is sent.
///
/// Errors: system_error, whose text names host and port.
/// Cancel: nothing is lost.
[[nodiscard]] task<io::datagram_socket> udp_connect(std::string host, std::uint16_t port,
                                                    udp_options options = udp_options{});

/// Makes two datagram sockets that are each other's peers, without an address (unix sockets). They
/// lose nothing: send() waits while the other end is full.
///
/// Errors: system_error when the system is out of descriptors.
[[nodiscard]] std::pair<io::datagram_socket, io::datagram_socket> datagram_pair();

}  // namespace troupe::inline v0_1::net
