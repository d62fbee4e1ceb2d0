#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <troupe/base/assert.hpp>
#include <troupe/io/stream_device.hpp>
#include <troupe/io/wait_count.hpp>
#include <troupe/task/operation.hpp>
#include <troupe/task/task.hpp>

namespace troupe::inline v0_1::io {

namespace detail {

/// What the operations on one direction of a stream have in common.
template <class Self, class T>
class stream_operation : public troupe::detail::fallible_operation<Self> {
public:
  bool poll() noexcept {
    outcome_ = static_cast<Self&>(*this).attempt_once();
    return outcome_.has_value();
  }
  result<T> take() { return std::move(*outcome_); }

protected:
  explicit stream_operation(stream_device& device) noexcept : device_{&device} {}

  stream_device* device_;
  wait_count count_;

private:
  attempt<T> outcome_;
};

template <class Self, class T>
class reading_operation : public stream_operation<Self, T> {
public:
  using stream_operation<Self, T>::stream_operation;

  void start(std::source_location where) const {
    if (this->device_->reading.waited_for.load(std::memory_order_relaxed)) {
      misuse("two tasks read from one stream at once: let one read and pass on what it gets [I06]",
             where);
    }
  }
  bool enlist(waker key) noexcept {
    this->device_->reading.waited_for.store(true, std::memory_order_relaxed);
    return this->count_.begin(this->device_->enlist_read(key));
  }
  void delist() noexcept {
    if (this->count_.end()) this->device_->delist_read();
    this->device_->reading.waited_for.store(false, std::memory_order_relaxed);
  }
};

template <class Self, class T>
class writing_operation : public stream_operation<Self, T> {
public:
  using stream_operation<Self, T>::stream_operation;

  void start(std::source_location where) const {
    if (this->device_->writing.waited_for.load(std::memory_order_relaxed)) {
      misuse(
          "two tasks write to one stream at once: let one write and send it what is to go out "
          "[I07]",
          where);
    }
  }
  bool enlist(waker key) noexcept {
    this->device_->writing.waited_for.store(true, std::memory_order_relaxed);
    return this->count_.begin(this->device_->enlist_write(key));
  }
  void delist() noexcept {
    if (this->count_.end()) this->device_->delist_write();
    this->device_->writing.waited_for.store(false, std::memory_order_relaxed);
  }
};

class read_operation final : public reading_operation<read_operation, std::size_t> {
public:
  static constexpr const char* name = "bytes from a stream";

  read_operation(stream_device& device, std::span<std::byte> into) noexcept
      : reading_operation{device}, into_{into} {}
  attempt<std::size_t> attempt_once() noexcept;

private:
  std::span<std::byte> into_;
};

class write_operation final : public writing_operation<write_operation, std::size_t> {
public:
  static constexpr const char* name = "room in a stream (write)";

  write_operation(stream_device& device, std::span<const std::byte> from) noexcept
      : writing_operation{device}, from_{from} {}
  attempt<std::size_t> attempt_once() noexcept;

private:
  std::span<const std::byte> from_;
};

class shutdown_operation final : public writing_operation<shutdown_operation, void> {
public:
  static constexpr const char* name = "the end of a stream's sending direction (shutdown)";

  explicit shutdown_operation(stream_device& device) noexcept : writing_operation{device} {}
  attempt<void> attempt_once() noexcept { return device_->try_shutdown(); }
};

}  // namespace detail

/// One connection: bytes in both directions. Move-only; its destructor closes it.
///
/// Operations keep their place when the stream is moved. Awaiting throws the errors of the system,
/// such as ECONNRESET and EPIPE, as system_error; `.as_result()` hands them over.
///
/// Threads: one task may read while another writes; never two in one direction (a misuse).
/// Bounds:  no buffers of its own; the memory of the device and of the kernel.
/// Example:
///     std::array<std::byte, 4096> buffer;
///     while (std::size_t count = co_await peer.read_some(buffer)) {
///       co_await peer.write_all(std::span{buffer}.first(count));
///     }
class stream {
public:
  explicit stream(stream_device_ptr device) noexcept : device_{std::move(device)} {}

  /// Waits for bytes and takes what is there.
  ///
  /// Requires: `into` is not empty, and stays until the await is over.
  /// Returns:  the number of bytes taken, at least 1; 0 when the peer has ended its direction.
  /// Cancel:   nothing was taken.
  [[nodiscard]] detail::read_operation read_some(
      std::span<std::byte> into, std::source_location where = std::source_location::current()) {
    if (into.empty())
      misuse("read_some() was given an empty buffer: 0 would look like the end; resize() it [I08]",
             where);
    return detail::read_operation{device(where), into};
  }
  [[nodiscard]] detail::read_operation read_some(
      std::span<char> into, std::source_location where = std::source_location::current()) {
    return read_some(std::as_writable_bytes(into), where);
  }

  /// Waits for room and sends a first part of `from`.
  ///
  /// Requires: `from` stays until the await is over.
  /// Returns:  the size of the part, at least 1; 0 when `from` is empty.
  /// Errors:   errc::closed after an interrupted write_all().
  /// Cancel:   nothing was sent.
  [[nodiscard]] detail::write_operation write_some(
      std::span<const std::byte> from,
      std::source_location where = std::source_location::current()) {
    return detail::write_operation{device(where), from};
  }
  [[nodiscard]] detail::write_operation write_some(
      std::string_view from, std::source_location where = std::source_location::current()) {
    return write_some(std::as_bytes(std::span{from}), where);
  }

  /// Sends all of `from`.
  ///
  /// Requires: `from` stays until the await is over.
  /// Errors:   those of write_some().
  /// Cancel:   a part may have been sent (bytes_written() counts it); the stream can then only be
  ///           closed, and every later write to it fails with errc::closed.
  [[nodiscard]] task<> write_all(std::span<const std::byte> from);
  [[nodiscard]] task<> write_all(std::string_view from) {
    return write_all(std::as_bytes(std::span{from}));
  }

  /// Fills all of `into`.
  ///
  /// Errors: errc::end_of_stream when the peer ends before `into` is full.
  /// Cancel: a part may have been taken (bytes_read() counts it); it is lost for later reads.
  [[nodiscard]] task<> read_exactly(std::span<std::byte> into);
  [[nodiscard]] task<> read_exactly(std::span<char> into) {
    return read_exactly(std::as_writable_bytes(into));
  }

  /// Reads until the peer ends. Returns: all bytes, at most `max_bytes`.
  /// Errors: errc::too_long as soon as there are more.
  /// Cancel: what was read is lost.
  /// Bounds: no memory while nothing has come; then what has come.
  [[nodiscard]] task<std::string> read_to_end(std::size_t max_bytes);

  /// Reads until the peer ends, and keeps nothing. Returns: the number of bytes.
  /// Cancel: what was read is lost; bytes_read() has counted it.
  /// Bounds: no memory per stream; one buffer per worker.
  [[nodiscard]] task<std::uint64_t> discard_to_end();

  /// Ends the sending direction after all that was written; reading goes on.
  [[nodiscard]] detail::shutdown_operation shutdown(
      std::source_location where = std::source_location::current()) {
    return detail::shutdown_operation{device(where)};
  }

  /// Closes both directions. Requires: no operation is under way.
  void close() noexcept { device_.reset(); }

  /// Returns: false after close() and for a stream that was moved from.
  [[nodiscard]] bool is_open() const noexcept { return device_ != nullptr; }

  /// Returns: all bytes of this stream so far, also those of operations that were cut short.
  /// Threads: any, also while operations are under way.
  [[nodiscard]] std::uint64_t bytes_read() const { return device().reading.total(); }
  [[nodiscard]] std::uint64_t bytes_written() const { return device().writing.total(); }

  /// Returns: the address as `127.0.0.1:80` or `[::1]:80`; empty when there is none any more.
  [[nodiscard]] std::string local_address() const { return device().local_address(); }
  [[nodiscard]] std::string peer_address() const { return device().peer_address(); }

  /// The device below, for what is layered over streams, such as framing.
  [[nodiscard]] stream_device& device(std::source_location where = {}) const {
    if (!device_)
      misuse(
          "a stream was used after it was closed or moved from: use the one that has it now [I09]",
          where);
    return *device_;
  }

private:
  stream_device_ptr device_;
};

}  // namespace troupe::inline v0_1::io
