#pragma once

#include <cstdint>

#include <troupe/pal/atomic.hpp>
#include <troupe/sync/parking_lot.hpp>

namespace troupe::inline v0_1::detail {

/// How many values there have been, whether more can come, and the tasks that wait for either.
///
/// Both are in one word: who sees the end sees the last value too.
/// Threads: any.
class progress {
public:
  /// What a wait compares with: the count above, the end in the lowest bit.
  [[nodiscard]] std::uint64_t word() const noexcept {
    return word_.load(std::memory_order_acquire);  // <- end
  }
  [[nodiscard]] std::uint64_t count() const noexcept { return word() >> 1U; }
  static std::uint64_t count_in(std::uint64_t word) noexcept { return word >> 1U; }
  static bool is_end(std::uint64_t word) noexcept { return (word & ended) != 0; }

  /// One value more. Requires: the value lies under a lock, which is held; tell() follows, once it
  /// is released.
  void advance() noexcept { word_.fetch_add(2, std::memory_order_relaxed); }
  void tell() noexcept {
    parking_lot::instance().wake_all(this, [] {});
  }

  /// No value comes any more. Wakes all that wait.
  void end() noexcept {
    word_.fetch_or(ended, std::memory_order_release);  // -> word
    tell();
  }

  /// Parks a task that has seen `count` values and no end. False: there is more already.
  [[nodiscard]] bool park(parked_waiter& waiter, waker key, std::uint64_t count) noexcept {
    return parking_lot::instance().park(waiter, this, key,
                                        [this, count] { return word() == count << 1U; });
  }

private:
  static constexpr std::uint64_t ended = 1;

  pal::atomic<std::uint64_t> word_{0};
};

}  // namespace troupe::inline v0_1::detail
