#pragma once

#include <utility>

#include <troupe/task/task.hpp>

namespace troupe::inline v0_1::tls::detail {

class tls_stream;

/// What holds the sending direction of the stream below a tls_stream while that has bytes left to
/// send (R3 there); the task flush() has it.
class flusher {
public:
  explicit flusher(tls_stream& of) noexcept : of_{&of} {}
  flusher(flusher&& other) noexcept : of_{std::exchange(other.of_, nullptr)} {}
  flusher& operator=(flusher&&) = delete;
  ~flusher();

  [[nodiscard]] tls_stream& of() const noexcept { return *of_; }

  /// All is sent, and the device has been told: it is touched no more.
  void let_go() noexcept { of_ = nullptr; }

private:
  tls_stream* of_;
};

/// Sends what a device has left; once it is closed, for a limited time.
task<> flush(flusher turn);

}  // namespace troupe::inline v0_1::tls::detail
