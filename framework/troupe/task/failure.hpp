#pragma once

#include <exception>
#include <source_location>
#include <string>

#include <troupe/version.hpp>

namespace troupe::inline v0_1 {

/// Where exceptions go that nobody awaits: those of tasks whose handle was dropped or detached.
/// Called on the worker that ran the task, with the place where it was spawned.
using failure_sink = void (*)(std::exception_ptr error, std::source_location spawned_at);

/// Replaces the sink; null restores the default, one line through the log sink.
/// Returns: the sink that was in force. Threads: any; the swap is atomic.
failure_sink set_failure_sink(failure_sink sink) noexcept;

/// Hands an exception to the sink in force.
void report_failure(std::exception_ptr error, std::source_location spawned_at) noexcept;

/// Returns: what an exception says of itself, in one line.
std::string describe(const std::exception_ptr& error);

}  // namespace troupe::inline v0_1
