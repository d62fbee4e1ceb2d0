#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <troupe/io/stream_device.hpp>

namespace troupe::inline v0_1::io {

/// What an io::listener is made of; see stream_device for the rules.
class listener_device {
public:
  /// Takes one connection that waits to be accepted.
  /// Errors: errc::canceled once the runtime takes in no more work; those of the device, which must
  ///         not come back at once for ever: the device itself pauses between them.
  [[nodiscard]] virtual attempt<stream_device_ptr> try_accept() noexcept = 0;

  /// Asks for `key` to be woken when try_accept() is worth a try. False: try now.
  [[nodiscard]] virtual bool enlist_accept(waker key) noexcept = 0;
  virtual void delist_accept() noexcept = 0;

  [[nodiscard]] virtual std::string local_address() const = 0;
  /// Returns: 0 where there are no ports.
  [[nodiscard]] virtual std::uint16_t port() const noexcept = 0;

  /// Closes, and gives the device up: it frees itself when it is no longer in use.
  virtual void close() noexcept = 0;

  pal::atomic<bool> waited_for{false};  ///< Kept by io::listener; relaxed.

protected:
  ~listener_device() = default;
};

using listener_device_ptr = std::unique_ptr<listener_device, device_closer>;

}  // namespace troupe::inline v0_1::io
