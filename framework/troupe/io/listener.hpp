#pragma once

#include <cstdint>
#include <source_location>
#include <string>
#include <utility>

#include <troupe/io/listener_device.hpp>
#include <troupe/io/stream.hpp>
#include <troupe/io/wait_count.hpp>
#include <troupe/task/operation.hpp>

namespace troupe::inline v0_1::io {

namespace detail {

/// One connection of a listener.
class accept_operation final : public troupe::detail::fallible_operation<accept_operation> {
public:
  static constexpr const char* name = "a connection (accept)";

  explicit accept_operation(listener_device& device) noexcept : device_{&device} {}

  void start(std::source_location where) const {
    if (device_->waited_for.load(std::memory_order_relaxed)) {
      misuse("two tasks accept from one listener at once: let one accept and spawn the rest [I04]",
             where);
    }
  }
  bool poll() noexcept {
    outcome_ = device_->try_accept();
    return outcome_.has_value();
  }
  bool enlist(waker key) noexcept {
    device_->waited_for.store(true, std::memory_order_relaxed);
    return count_.begin(device_->enlist_accept(key));
  }
  void delist() noexcept {
    if (count_.end()) device_->delist_accept();
    device_->waited_for.store(false, std::memory_order_relaxed);
  }
  result<stream> take() {
    if (outcome_->has_error()) {
      if (outcome_->error() == errc::canceled) throw canceled{};
      return outcome_->error();
    }
    return stream{std::move(**outcome_)};
  }

private:
  listener_device* device_;
  attempt<stream_device_ptr> outcome_;
  wait_count count_;
};

}  // namespace detail

/// Where connections come in: move-only; its destructor closes it and leaves the connections that
/// were accepted alone.
///
/// Threads: one task at a time.
/// Example:
///     io::listener listener = net::tcp_listen("127.0.0.1", 0);
///     for (;;) spawn(serve, co_await listener.accept());
class listener {
public:
  explicit listener(listener_device_ptr device) noexcept : device_{std::move(device)} {}

  /// Waits for a connection.
  ///
  /// Returns: an io::stream.
  /// Errors:  those of the system, such as EMFILE; the listener has then told one peer by closing
  ///          its connection, and goes on by itself after a pause of 1 to 100 ms: simply accept
  ///          again. `canceled` once the runtime has begun to stop.
  /// Cancel:  nothing is lost: a connection that was not handed over is accepted by the next call.
  [[nodiscard]] detail::accept_operation accept(
      std::source_location where = std::source_location::current()) {
    return detail::accept_operation{device(where)};
  }

  /// Returns: the address that connections come in at, as `127.0.0.1:80`.
  [[nodiscard]] std::string local_address() const { return device().local_address(); }

  /// Returns: its port; useful after port 0, which lets the system choose.
  [[nodiscard]] std::uint16_t port() const { return device().port(); }

  /// Refuses connections from now on. Requires: no accept is under way.
  void close() noexcept { device_.reset(); }

private:
  [[nodiscard]] listener_device& device(std::source_location where = {}) const {
    if (!device_)
      misuse(
          "a listener was used after it was closed or moved from: use the one that has it now "
          "[I05]",
          where);
    return *device_;
  }

  listener_device_ptr device_;
};

}  // namespace troupe::inline v0_1::io
