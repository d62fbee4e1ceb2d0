#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <troupe/base/result.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/task/waker.hpp>

namespace troupe::inline v0_1::io {

/// What a try came to; nothing when it would have had to wait.
template <class T>
using attempt = std::optional<result<T>>;

/// What an io::stream is made of: a socket, or the simulation of one.
///
/// No function waits. A try that would have to wait returns nothing; the waker given to enlist_x()
/// is then woken when x is worth another try. It may be woken in vain, never too little: what
/// happens between the try and enlist_x() counts, and makes enlist_x() return false or wake.
///
/// Threads: one task at a time per direction, the two directions at the same time; close() last and
///          alone. Wakes come from anywhere.
class stream_device {
public:
  /// Takes up to `into.size()` bytes. Returns: their number; 0 when the peer has ended.
  /// Requires: `into` is not empty.
  [[nodiscard]] virtual attempt<std::size_t> try_read(std::span<std::byte> into) noexcept = 0;

  /// Sends a first part of `from`. Returns: its size, at least 1.
  /// Requires: `from` is not empty.
  [[nodiscard]] virtual attempt<std::size_t> try_write(
      std::span<const std::byte> from) noexcept = 0;

  /// Ends the sending direction after all that was written.
  [[nodiscard]] virtual attempt<void> try_shutdown() noexcept = 0;

  /// Asks for `key` to be woken when try_read() is worth a try. False: try now.
  [[nodiscard]] virtual bool enlist_read(waker key) noexcept = 0;
  virtual void delist_read() noexcept = 0;

  /// The same for try_write() and try_shutdown().
  [[nodiscard]] virtual bool enlist_write(waker key) noexcept = 0;
  virtual void delist_write() noexcept = 0;

  /// Returns: `127.0.0.1:80`, `[::1]:80` or another text of this kind; empty when there is none.
  [[nodiscard]] virtual std::string local_address() const = 0;
  [[nodiscard]] virtual std::string peer_address() const = 0;

  /// Closes, and gives the device up: it frees itself when it is no longer in use.
  virtual void close() noexcept = 0;

  /// What io::stream keeps for one direction, here so that it stays when the stream is moved.
  /// Orders are relaxed: nothing else depends on what others than the task in charge read here.
  struct direction {
    pal::atomic<bool> waited_for{false};
    bool interrupted = false;  ///< A write_all ended between its first byte and its last.
    pal::atomic<std::uint64_t> total_bytes{0};

    void count(std::size_t bytes) noexcept {
      total_bytes.store(total() + bytes, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t total() const noexcept {
      return total_bytes.load(std::memory_order_relaxed);
    }
  };
  direction reading;
  direction writing;

protected:
  ~stream_device() = default;
};

/// Closes a device when its owner goes.
struct device_closer {
  template <class Device>
  void operator()(Device* device) const noexcept {
    device->close();
  }
};

using stream_device_ptr = std::unique_ptr<stream_device, device_closer>;

/// The device of a connection that is tried, and is of use when it stands.
class connecting_device : public stream_device {
public:
  /// Looks whether the connection stands, or never will; enlist_write() waits for either.
  [[nodiscard]] virtual attempt<void> try_finish_connect() noexcept = 0;

protected:
  ~connecting_device() = default;
};

using connecting_device_ptr = std::unique_ptr<connecting_device, device_closer>;

}  // namespace troupe::inline v0_1::io
