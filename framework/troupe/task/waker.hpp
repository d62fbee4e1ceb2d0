#pragma once

#include <cstdint>

#include <troupe/version.hpp>

namespace troupe::inline v0_1 {

namespace detail {
class task_core;
}

/// A key that wakes one wait of one task: eight bytes, copied freely, owning nothing.
///
/// It may be kept for ever: a waker whose wait is over, or whose task is gone, does nothing.
/// Bounds: one locked operation when it wakes; one load when it comes too late.
class waker {
public:
  waker() = default;

  waker(const detail::task_core* task, std::uint64_t epoch) noexcept
      : bits_{reinterpret_cast<std::uintptr_t>(task) | (epoch << address_bits)} {}

  /// Wakes and schedules the task. Returns: false when this wait was over already.
  /// Threads: any.
  bool wake() const noexcept;

  /// Like wake(), but leaves scheduling to the caller: when a task is returned, the caller must
  /// call schedule() on it, outside of its locks.
  [[nodiscard]] detail::task_core* claim() const noexcept;

  /// Returns: the cell it was made for, whoever has that now; null for none.
  [[nodiscard]] detail::task_core* task() const noexcept {
    constexpr std::uint64_t address_mask = (std::uint64_t{1} << address_bits) - 1;
    return reinterpret_cast<detail::task_core*>(bits_ & address_mask);
  }

  [[nodiscard]] explicit operator bool() const noexcept { return bits_ != 0; }
  friend bool operator==(const waker&, const waker&) = default;

  /// The waker as one word, for a primitive that keeps it among its own flags: the six lowest bits
  /// are always zero.
  [[nodiscard]] std::uint64_t bits() const noexcept { return bits_; }
  static waker from_bits(std::uint64_t bits) noexcept {
    waker key;
    key.bits_ = bits;
    return key;
  }

private:
  // User addresses have 47 bits on x86-64 and 48 on arm64, unless more are asked for by mmap.
  static constexpr unsigned address_bits = 48;

  std::uint64_t bits_ = 0;
};

}  // namespace troupe::inline v0_1
