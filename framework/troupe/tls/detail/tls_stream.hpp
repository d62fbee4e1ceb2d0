#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <troupe/io/stream.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/tls/detail/context_core.hpp>
#include <troupe/tls/detail/openssl.hpp>
#include <troupe/tls/tls.hpp>

namespace troupe::inline v0_1::tls::detail {

/// TLS as the device of an io::stream, over the device of another one.
///
/// OpenSSL reads and writes through a BIO of our own: pull() takes from the stream below, push()
/// sends to it, and neither waits. What the stream below does not take becomes `outgoing_`.
///
///   R1. Everything but where a direction waits is under the mutex: an SSL object has one user at a
///       time, and both directions may have to send (alerts, key updates).
///   R2. Only the reading direction, and the handshake before it, pulls. So its bytes, and the
///       readiness of the stream below to be read, are never taken by somebody else, and a reader
///       waits there, by the rules of that stream.
///   R3. While `outgoing_` holds bytes, a task of our own, the flusher, sends them, and it alone
///       uses the sending direction of the stream below. What is pushed meanwhile is appended. The
///       flusher ends in the step that finds nothing left; otherwise whoever holds the mutex sends.
///   R4. Nothing is encrypted for a writer while `outgoing_` holds bytes: a write is either counted
///       and on its way, or has not happened. Writers, and readers that had to send, wait for the
///       flusher (`writer_`, `reader_`), which wakes them when nothing is left.
///   R5. A peer may leave a message of the handshake unfinished between its data; OpenSSL then
///       encrypts nothing. The writer waits until the reader has the rest.
///   R6. Who comes last of close() and the flusher deletes the device.
class tls_stream final : public io::stream_device {
public:
  /// `host`: whom a client asks for. Errors: std::bad_alloc.
  static tls_stream& make(io::stream below, std::shared_ptr<context_core> with, std::string host) {
    return *new tls_stream{std::move(below), std::move(with), std::move(host)};
  }
  tls_stream(const tls_stream&) = delete;
  tls_stream& operator=(const tls_stream&) = delete;

  /// The first exchange. Waits as reading does. Requires: nothing was read or written yet.
  [[nodiscard]] io::attempt<void> try_handshake() noexcept;
  /// Returns: in words, why the handshake failed; empty when its code says it all.
  [[nodiscard]] std::string problem() const;
  [[nodiscard]] info agreed() const;

  [[nodiscard]] io::attempt<std::size_t> try_read(std::span<std::byte> into) noexcept override;
  [[nodiscard]] io::attempt<std::size_t> try_write(
      std::span<const std::byte> from) noexcept override;
  [[nodiscard]] io::attempt<void> try_shutdown() noexcept override;

  [[nodiscard]] bool enlist_read(waker key) noexcept override;
  void delist_read() noexcept override;
  [[nodiscard]] bool enlist_write(waker key) noexcept override;
  void delist_write() noexcept override;

  [[nodiscard]] std::string local_address() const override { return below_.local_address(); }
  [[nodiscard]] std::string peer_address() const override { return below_.peer_address(); }
  void close() noexcept override;

  static int on_new_session(SSL* ssl, SSL_SESSION* session) noexcept;

private:
  friend struct wire_bio;
  friend class flusher;
  friend class flush_operation;
  class turn;

  enum class waits_for { below, room };

  tls_stream(io::stream below, std::shared_ptr<context_core> with, std::string host);
  ~tls_stream() = default;

  void prepare_client();
  int pull(char* into, int size) noexcept;
  int push(const char* from, int size) noexcept;
  std::span<const std::byte> send_below(std::span<const std::byte> from) noexcept;
  bool keep_for_flusher(std::span<const std::byte> from) noexcept;
  void start_flusher() noexcept;

  [[nodiscard]] boost::system::error_code cause(int ssl_error) noexcept;
  [[nodiscard]] boost::system::error_code cause_in_openssl() noexcept;
  [[nodiscard]] bool must_wait(int ssl_error) noexcept;
  [[nodiscard]] bool has_room() const noexcept { return outgoing_.empty() || push_error_.failed(); }
  [[nodiscard]] bool is_writer_held_up() const noexcept;
  void say_goodbye() noexcept;
  void free_writer() noexcept;

  // What the flusher does.
  enum class flushed { not_yet, all, closed };
  [[nodiscard]] flushed try_flush(bool after_close) noexcept;
  [[nodiscard]] bool enlist_flush(waker key, bool after_close) noexcept;
  void delist_flush() noexcept;
  void end_flush() noexcept;

  mutable pal::mutex mutex_;
  std::shared_ptr<context_core> context_;
  io::stream below_;
  std::string host_;
  ssl_ptr ssl_;

  std::string outgoing_;
  std::size_t outgoing_begin_ = 0;
  waker reader_, writer_, flusher_;
  waits_for reading_waits_for_ = waits_for::below;  // Of the reading direction alone.
  waits_for writing_waits_for_ = waits_for::room;   // Of the writing direction alone.

  // Outcomes that stay.
  boost::system::error_code pull_error_, push_error_, fatal_;
  unsigned long openssl_error_ = 0;  // Behind fatal_, if it is OpenSSL's.
  std::uint32_t barren_bytes_ = 0;   // Pulled since the last byte of data.
  unsigned char first_byte_ = 0;
  bool has_begun_ = false;  // first_byte_ is there.
  bool is_tls_ = true;      // As far as first_byte_ tells.
  bool has_ended_below_ = false;
  bool is_established_ = false;
  bool said_goodbye_ = false;  // close_notify is on its way.
  bool has_shut_down_ = false;
  bool is_writer_held_up_ = false;  // R5
  bool may_pull_ = false;           // R2
  bool has_flusher_ = false;        // R3
  bool wants_flusher_ = false;      // It is still to be spawned, when the mutex is free.
  bool is_closed_ = false;
};

}  // namespace troupe::inline v0_1::tls::detail
