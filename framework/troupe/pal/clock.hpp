#pragma once

#include <chrono>
#include <cstdint>

#include <troupe/pal/atomic.hpp>

namespace troupe::inline v0_1 {

/// A point in the time that timers and deadlines use; monotonic, not the wall clock.
using time_point = std::chrono::steady_clock::time_point;
using duration = std::chrono::nanoseconds;

namespace pal {

/// Where a runtime gets its time from: the real clock, or one that a test moves.
class clock {
public:
  virtual ~clock() = default;

  /// Threads: any. Never goes back.
  [[nodiscard]] virtual time_point now() const noexcept = 0;

  /// Called when nothing can run before `next`. A virtual clock jumps there and returns true;
  /// false means that real time has to pass.
  virtual bool jump_to(time_point next) noexcept = 0;

  /// Returns: true when waiting does not make this clock move.
  [[nodiscard]] virtual bool is_virtual() const noexcept { return false; }
};

/// The machine's monotonic clock; one object for all.
clock& real_clock() noexcept;

/// Whether ticks() counts. Where it does not, whoever wants to spare a look at the clock cannot.
#if defined(__x86_64__)
inline constexpr bool has_ticks = true;
#else
inline constexpr bool has_ticks = false;
#endif

/// Returns: a count that goes up at a steady 1 to 10 GHz, on all cores alike as nearly as matters;
/// a third of the price of the real clock. Only to tell that hardly any time has passed.
[[nodiscard]] inline std::uint64_t ticks() noexcept {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  return 0;
#endif
}

/// A clock that stands still until it is told the time, or, while a runtime that uses it has
/// nothing to run, jumps to that runtime's next timer. A test of hours takes milliseconds.
///
/// Threads: any.
class virtual_clock final : public clock {
public:
  [[nodiscard]] time_point now() const noexcept override;
  bool jump_to(time_point next) noexcept override;
  [[nodiscard]] bool is_virtual() const noexcept override { return true; }

  /// Moves time on by `step`. Timers that become due are run by the next worker that looks.
  /// Requires: `step` is not below zero.
  void advance(duration step) noexcept;

private:
  pal::atomic<duration::rep> now_{0};
};

}  // namespace pal
}  // namespace troupe::inline v0_1
