#pragma once

#include <cstddef>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <troupe/base/assert.hpp>
#include <troupe/io/datagram_device.hpp>
#include <troupe/io/wait_count.hpp>
#include <troupe/task/operation.hpp>

namespace troupe::inline v0_1::io {

namespace detail {

/// One datagram that comes in.
class receive_operation final : public troupe::detail::fallible_operation<receive_operation> {
public:
  static constexpr const char* name = "a datagram";

  receive_operation(datagram_device& device, std::span<std::byte> into) noexcept
      : device_{&device}, into_{into} {}

  void start(std::source_location where) const {
    if (device_->receive_waited_for.load(std::memory_order_relaxed)) {
      misuse(
          "two tasks receive from one socket at once: let one receive and pass on what it gets "
          "[I01]",
          where);
    }
  }
  bool poll() noexcept {
    outcome_ = device_->try_receive(into_);
    return outcome_.has_value();
  }
  bool enlist(waker key) noexcept {
    device_->receive_waited_for.store(true, std::memory_order_relaxed);
    return count_.begin(device_->enlist_receive(key));
  }
  void delist() noexcept {
    if (count_.end()) device_->delist_receive();
    device_->receive_waited_for.store(false, std::memory_order_relaxed);
  }
  result<datagram> take() { return std::move(*outcome_); }

private:
  datagram_device* device_;
  std::span<std::byte> into_;
  attempt<datagram> outcome_;
  wait_count count_;
};

/// One datagram that goes out.
class send_operation final : public troupe::detail::fallible_operation<send_operation> {
public:
  static constexpr const char* name = "room for a datagram (send)";

  send_operation(datagram_device& device, std::span<const std::byte> from,
                 std::optional<endpoint> to) noexcept
      : device_{&device}, from_{from}, to_{to} {}

  void start(std::source_location where) const {
    if (device_->send_waited_for.load(std::memory_order_relaxed)) {
      misuse("two tasks send on one socket at once: let one send what the other gives it [I02]",
             where);
    }
  }
  bool poll() noexcept {
    outcome_ = device_->try_send(from_, to_);
    return outcome_.has_value();
  }
  bool enlist(waker key) noexcept {
    device_->send_waited_for.store(true, std::memory_order_relaxed);
    return count_.begin(device_->enlist_send(key));
  }
  void delist() noexcept {
    if (count_.end()) device_->delist_send();
    device_->send_waited_for.store(false, std::memory_order_relaxed);
  }
  result<void> take() { return std::move(*outcome_); }

private:
  datagram_device* device_;
  std::span<const std::byte> from_;
  std::optional<endpoint> to_;
  attempt<void> outcome_;
  wait_count count_;
};

}  // namespace detail

/// The largest datagram of UDP over IPv4: a buffer of this size holds any.
inline constexpr std::size_t max_datagram_bytes = 65507;

/// Sends and receives datagrams: whole messages that may be lost, doubled or overtaken. Move-only;
/// its destructor closes it.
///
/// Awaiting throws the errors of the system as system_error; `.as_result()` hands them over. On a
/// connected socket they include what the network reports about datagrams sent before, such as
/// ECONNREFUSED; the socket goes on after each.
///
/// Threads: one task may receive while another sends; never two of one kind (a misuse).
/// Bounds:  no buffers of its own; the kernel drops what it has no room for.
/// Example:
///     std::array<std::byte, 1500> buffer;
///     io::datagram got = co_await socket.receive_from(buffer);
///     co_await socket.send_to(std::span{buffer}.first(got.size_bytes), got.from);
class datagram_socket {
public:
  explicit datagram_socket(datagram_device_ptr device) noexcept : device_{std::move(device)} {}

  /// Waits for a datagram and takes it.
  ///
  /// Requires: `into` stays until the await is over.
  /// Returns:  its size, which may be 0, and its sender.
  /// Errors:   errc::too_long when it is longer than `into`: it is lost, and `into` is undefined.
  /// Cancel:   nothing was taken.
  [[nodiscard]] detail::receive_operation receive_from(std::span<std::byte> into) {
    return detail::receive_operation{device(), into};
  }
  [[nodiscard]] detail::receive_operation receive_from(std::span<char> into) {
    return receive_from(std::as_writable_bytes(into));
  }

  /// Sends `from` as one datagram to `to`; on a connected socket send() does it to the peer.
  ///
  /// Requires: `from` stays until the await is over.
  /// Errors:   those of the system: EMSGSIZE when it is too long, ENETUNREACH, ...; send() on a
  ///           socket that is not connected: EDESTADDRREQ.
  /// Cancel:   nothing was sent.
  [[nodiscard]] detail::send_operation send_to(std::span<const std::byte> from,
                                               const endpoint& to) {
    return detail::send_operation{device(), from, to};
  }
  [[nodiscard]] detail::send_operation send_to(std::string_view from, const endpoint& to) {
    return send_to(std::as_bytes(std::span{from}), to);
  }
  [[nodiscard]] detail::send_operation send(std::span<const std::byte> from) {
    return detail::send_operation{device(), from, std::nullopt};
  }
  [[nodiscard]] detail::send_operation send(std::string_view from) {
    return send(std::as_bytes(std::span{from}));
  }

  /// Returns: where datagrams to this socket go; useful after port 0.
  [[nodiscard]] endpoint local_endpoint() const { return device().local_endpoint(); }
  /// Returns: the peer of a connected socket, else nothing.
  [[nodiscard]] std::optional<endpoint> peer_endpoint() const { return device().peer_endpoint(); }

  /// Closes it. Requires: no operation is under way.
  void close() noexcept { device_.reset(); }

  /// Returns: false after close() and for a socket that was moved from.
  [[nodiscard]] bool is_open() const noexcept { return device_ != nullptr; }

private:
  [[nodiscard]] datagram_device& device() const {
    if (!device_)
      misuse(
          "a datagram socket was used after it was closed or moved from: use the one that has it "
          "now [I03]");
    return *device_;
  }

  datagram_device_ptr device_;
};

}  // namespace troupe::inline v0_1::io
