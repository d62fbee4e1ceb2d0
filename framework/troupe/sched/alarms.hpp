#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/barrier.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/task/core.hpp>

namespace troupe::inline v0_1 {

/// Coarse time limits for waits that mostly end long before: setting one is a plain store in the
/// waiting task's cell, and nothing is linked or sorted.
///
/// While a task has an alarm the workers sweep over all tasks once per period, and nudge those
/// whose alarm has passed. Sweeps are counted, at least a period apart: so a limit counted in them
/// is never short, without a look at the clock.
///
///   R1. Who sets an alarm sets it, runs the light barrier, and then looks whether sweeps go on. A
///       sweep that has found none turns them off, runs the heavy barrier, and looks once more.
///   R2. The alarm is the waiting task's: set and cleared on its turn. A sweep only reads it.
/// Threads: any. Bounds: a sweep visits every task that lives, some ns each.
class alarms {
public:
  /// Sweeps are often enough for limits of `limit` to be at most a fortieth late.
  explicit alarms(duration limit) noexcept;

  /// Returns: the number of the sweep by which `length` has passed for sure.
  /// Requires: at least the default limit; then it is a fortieth late at most.
  [[nodiscard]] std::uint32_t after(duration length) const noexcept;
  /// Returns: the same for the default limit.
  [[nodiscard]] std::uint32_t after_default() const noexcept { return current() + ahead_; }
  [[nodiscard]] std::uint32_t current() const noexcept {
    return sweeps_.load(std::memory_order_relaxed);
  }
  /// Returns: how long it is until that sweep, at most a period more or less; none has passed.
  [[nodiscard]] duration until(std::uint32_t sweep) const noexcept {
    return period_ * std::max(static_cast<std::int32_t>(sweep - current()), 0);
  }
  [[nodiscard]] bool has_passed(std::uint32_t sweep) const noexcept {
    return static_cast<std::int32_t>(current() - sweep) >= 0;
  }

  /// Has `waiting` nudged at that sweep, or at an earlier one that was set already.
  /// Returns: true when no sweeps go on: begin() must follow. R1, R2
  [[nodiscard]] bool set(detail::task_core& waiting, std::uint32_t sweep) noexcept {
    waiting.set_alarm(sweep);
    pal::light_barrier();
    return next_.load(std::memory_order_relaxed) == never;
  }
  /// Returns: true when sweeps begin with this call.
  [[nodiscard]] bool begin(time_point now) noexcept {
    duration::rep off = never;
    return next_.compare_exchange_strong(off, next_after(now), std::memory_order_seq_cst);
  }

  /// Returns: when the next sweep is due; none while no task has an alarm.
  [[nodiscard]] std::optional<time_point> next() const noexcept {
    duration::rep at = next_.load(std::memory_order_seq_cst);
    if (at == never) return std::nullopt;
    return time_point{duration{at}};
  }
  [[nodiscard]] bool due(time_point now) const noexcept {
    return now.time_since_epoch().count() >= next_.load(std::memory_order_relaxed);
  }

  /// Sweeps, unless another worker does.
  void sweep(const executor& exec, time_point now) noexcept;

  /// Returns: the limit of waits that name none.
  [[nodiscard]] duration default_limit() const noexcept { return limit_; }

private:
  static constexpr duration::rep never = duration::max().count();

  [[nodiscard]] duration::rep next_after(time_point now) const noexcept {
    return (now + period_).time_since_epoch().count();
  }

  const duration limit_;
  const duration period_;
  const std::uint32_t ahead_;  // How many sweeps the default limit is.
  pal::atomic<std::uint32_t> sweeps_{1};
  pal::atomic<duration::rep> next_{never};
};

}  // namespace troupe::inline v0_1
