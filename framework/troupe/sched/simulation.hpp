#pragma once

#include <functional>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/task/job.hpp>

namespace troupe::inline v0_1 {

/// What a simulated world brings to a scheduler that has a seed: it is told what runs, and decides
/// when blocking work does.
class simulation {
public:
  /// Called on the worker before each turn. Must not touch the scheduler.
  virtual void before_turn(job& next) noexcept = 0;

  /// Runs `work`, in place of a thread of the blocking pool, at a time when no task has its turn.
  virtual void run_blocking(std::function<void()> work) = 0;
  /// The pool is about to end: what has not begun is dropped, what waits gets `canceled`.
  virtual void end_blocking() noexcept = 0;

protected:
  ~simulation() = default;
};

/// A thread that runs blocking work of a simulated runtime, alone, for as long as it is let.
class simulated_thread {
public:
  /// The one that the calling thread is; null on all others.
  [[nodiscard]] static simulated_thread* current() noexcept;

  /// Lets others run until `is_over`. Errors: canceled when it never will be.
  virtual void wait_for(const pal::atomic<bool>& is_over) = 0;
  [[nodiscard]] virtual pal::clock& clock() const noexcept = 0;

protected:
  ~simulated_thread() = default;

  /// Makes the calling thread this one, or with null a plain one.
  static void set_current(simulated_thread* self) noexcept;
};

}  // namespace troupe::inline v0_1
