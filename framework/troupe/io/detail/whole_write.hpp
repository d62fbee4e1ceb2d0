#pragma once

#include <cstdint>

#include <troupe/io/stream_device.hpp>

namespace troupe::inline v0_1::io::detail {

/// Bars the writing direction for ever when a write ends between its first byte and its last.
class whole_write {
public:
  explicit whole_write(stream_device::direction& writing) noexcept
      : writing_{writing}, total_before_{writing.total()} {}
  whole_write(const whole_write&) = delete;
  whole_write& operator=(const whole_write&) = delete;
  ~whole_write() {
    if (!finished_ && writing_.total() != total_before_) writing_.interrupted = true;
  }
  void finish() noexcept { finished_ = true; }

private:
  stream_device::direction& writing_;
  std::uint64_t total_before_;
  bool finished_ = false;
};

}  // namespace troupe::inline v0_1::io::detail
