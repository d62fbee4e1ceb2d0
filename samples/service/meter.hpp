#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <troupe/pal/clock.hpp>

namespace service {

/// How long requests took, as a histogram with steps of 6 %.
///
/// Threads: any.
class meter {
public:
  /// Notes one answered request.
  void add(troupe::duration latency) noexcept;

  struct figures {
    std::uint64_t answered_count = 0;
    troupe::duration p50{};
    troupe::duration p99{};
  };

  /// Returns: what was noted since the last call.
  figures take() noexcept;

private:
  static constexpr unsigned steps_bits = 4;  // Each doubling has 16 steps.
  static constexpr std::size_t bucket_count = 64U << steps_bits;

  static std::size_t bucket_of(std::uint64_t nanoseconds) noexcept;
  static troupe::duration end_of(std::size_t bucket) noexcept;

  std::array<std::atomic<std::uint64_t>, bucket_count> buckets_{};
};

}  // namespace service
