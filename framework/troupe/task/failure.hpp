#pragma once

#include <exception>
#include <source_location>
#include <string>

#include <troupe/version.hpp>

namespace troupe::inline v0_1 {

/// An exception that nobody awaits: of a task whose handle was dropped or detached, or of an actor
/// whose end nobody is told of.
struct failure {
  std::exception_ptr error;
  std::source_location spawned_at;  ///< Of a task.
  std::string actor{};              ///< Its name; empty for a task.
};

/// Where such exceptions go. Called on the worker that ran what has failed.
using failure_sink = void (*)(const failure&);

/// Replaces the sink; null restores the default, one line through the log sink.
/// Returns: the sink that was in force. Threads: any; the swap is atomic.
failure_sink set_failure_sink(failure_sink sink) noexcept;

/// Hands it to the sink in force.
void report_failure(const failure& seen) noexcept;

/// Returns: what an exception says of itself, in one line.
std::string describe(const std::exception_ptr& error);

namespace detail {

/// While it lives, what is reported on its thread is dropped: a simulated program that is killed
/// destroys who awaits a failure, and a program that is killed tells nobody anything.
class no_last_words {
public:
  no_last_words() noexcept;
  ~no_last_words();
  no_last_words(const no_last_words&) = delete;
  no_last_words& operator=(const no_last_words&) = delete;

private:
  bool before_;
};

}  // namespace detail

}  // namespace troupe::inline v0_1
