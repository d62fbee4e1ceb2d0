#pragma once

#include <exception>

#include <troupe/version.hpp>

namespace troupe::inline v0_1 {

/// Thrown out of an await in a task that was asked to stop; the task unwinds and ends.
///
/// A stop request stays: every later wait of the task throws again, so a handler that swallows this
/// only delays the end. It is no std::exception, so that `catch (const std::exception&)`, which is
/// meant for failures, lets it pass. What was awaited is untouched: nothing taken, nothing sent.
struct canceled {};

/// Returns: whether `error` is `canceled`: the end of a task that was asked to stop, no failure.
/// Requires: not null.
[[nodiscard]] bool is_canceled(const std::exception_ptr& error) noexcept;

/// Returns: true when the running task was asked to stop; false outside of a task.
/// For computations that never wait; everything that waits looks by itself.
[[nodiscard]] bool stop_requested() noexcept;

}  // namespace troupe::inline v0_1
