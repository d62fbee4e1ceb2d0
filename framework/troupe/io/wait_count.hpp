#pragma once

#include <troupe/task/context.hpp>

namespace troupe::inline v0_1::io {

/// Counts one wait for something from outside the process.
///
/// The sums over all workers tell the runtime whether a task that waits can still be woken by a
/// peer, or whether only tasks are left that wait for one another. Every operation that waits for
/// I/O keeps one and calls it from enlist() and delist().
/// Threads: the turn of the task that waits.
class wait_count {
public:
  /// Notes the beginning of a wait, if there is one. Returns: `begun`.
  bool begin(bool begun) noexcept {
    if (begun && !counted_) {
      troupe::detail::current_context()->io_waits.increment();
      counted_ = true;
    }
    return begun;
  }

  /// Notes the end. Returns: false when no wait was under way.
  bool end() noexcept {
    if (!counted_) return false;
    counted_ = false;
    // Null when a suspended task is destroyed after its workers have ended.
    troupe::detail::context* here = troupe::detail::current_context();
    if (here != nullptr) here->io_wakes.increment();
    return true;
  }

private:
  bool counted_ = false;
};

}  // namespace troupe::inline v0_1::io
