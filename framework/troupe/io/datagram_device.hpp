#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <troupe/io/endpoint.hpp>
#include <troupe/io/stream_device.hpp>

namespace troupe::inline v0_1::io {

/// A datagram that was received.
struct datagram {
  std::size_t size_bytes = 0;
  endpoint from;  ///< 0.0.0.0, port 0, where senders have no such address.
};

/// What an io::datagram_socket is made of; see stream_device for the rules.
class datagram_device {
public:
  /// Takes the next datagram.
  /// Errors: errc::too_long when it is longer than `into`: it is lost; those of the device.
  [[nodiscard]] virtual attempt<datagram> try_receive(std::span<std::byte> into) noexcept = 0;

  /// Sends one datagram, whole, to `to`, or to the peer it is connected to.
  [[nodiscard]] virtual attempt<void> try_send(std::span<const std::byte> from,
                                               const std::optional<endpoint>& to) noexcept = 0;

  /// Asks for `key` to be woken when try_receive() is worth a try. False: try now.
  [[nodiscard]] virtual bool enlist_receive(waker key) noexcept = 0;
  virtual void delist_receive() noexcept = 0;

  /// The same for try_send().
  [[nodiscard]] virtual bool enlist_send(waker key) noexcept = 0;
  virtual void delist_send() noexcept = 0;

  [[nodiscard]] virtual endpoint local_endpoint() const noexcept = 0;
  /// Returns: nothing when it is not connected.
  [[nodiscard]] virtual std::optional<endpoint> peer_endpoint() const noexcept = 0;

  /// Closes, and gives the device up: it frees itself when it is no longer in use.
  virtual void close() noexcept = 0;

  pal::atomic<bool> receive_waited_for{false};  ///< Kept by io::datagram_socket; relaxed.
  pal::atomic<bool> send_waited_for{false};     ///< The same.

protected:
  ~datagram_device() = default;
};

using datagram_device_ptr = std::unique_ptr<datagram_device, device_closer>;

}  // namespace troupe::inline v0_1::io
