#pragma once

#include <string>
#include <utility>

#include <troupe/io/datagram_device.hpp>
#include <troupe/io/endpoint.hpp>
#include <troupe/io/listener_device.hpp>
#include <troupe/io/resolver.hpp>
#include <troupe/io/stream_device.hpp>

namespace troupe::inline v0_1::io {

/// What the net functions ask in place of the system, in a runtime whose driver is one as well: a
/// simulation of listening and connecting, of datagrams, and of names.
///
/// The driver of a runtime derives from both; see runtime_config::make_driver. Functions about
/// files, processes and signals, and what is made of Asio, know nothing of it.
///
/// Errors:  the codes that the system gives in the same case.
/// Threads: workers of that runtime.
class simulated_network {
public:
  virtual ~simulated_network() = default;

  /// Port 0 lets the simulation choose.
  [[nodiscard]] virtual result<listener_device_ptr> listen(const endpoint& at,
                                                           int backlog_count) = 0;
  /// Begins a connection; its device tells how that ends.
  [[nodiscard]] virtual result<connecting_device_ptr> connect(const endpoint& to) = 0;

  /// The same with a path, or `@` and a name. `replaces_stale`: see net::unix_listen_options.
  [[nodiscard]] virtual result<listener_device_ptr> listen_unix(const std::string& path,
                                                                int backlog_count,
                                                                bool replaces_stale) = 0;
  /// Errors: resource_unavailable_try_again while the listener's queue is full.
  [[nodiscard]] virtual result<stream_device_ptr> connect_unix(const std::string& path) = 0;

  /// Makes two streams that are each other's peers.
  [[nodiscard]] virtual std::pair<stream_device_ptr, stream_device_ptr> stream_pair() = 0;

  [[nodiscard]] virtual result<datagram_device_ptr> bind_datagrams(const endpoint& at,
                                                                   bool reuse_address) = 0;
  [[nodiscard]] virtual result<datagram_device_ptr> connect_datagrams(const endpoint& to) = 0;
  /// Makes two sockets that are each other's peers, and lose nothing.
  [[nodiscard]] virtual std::pair<datagram_device_ptr, datagram_device_ptr> datagram_pair() = 0;

  /// Who knows names in place of net::system_names().
  [[nodiscard]] virtual resolver& names() noexcept = 0;

  /// Returns: the one of the runtime that the calling thread works for; null where that has real
  ///          sockets or none, and outside of a runtime.
  [[nodiscard]] static simulated_network* current() noexcept;
};

}  // namespace troupe::inline v0_1::io
