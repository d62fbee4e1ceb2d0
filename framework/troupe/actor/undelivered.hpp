#pragma once

#include <string_view>

#include <troupe/actor/errors.hpp>

namespace troupe::inline v0_1 {

/// A message that was accepted, or could not be, and will not be run.
struct undelivered {
  std::string_view message;  ///< The name of its type.
  ask_errc reason;
};

/// Where such messages are reported that nobody waits for: those of send() and try_send(). A
/// request is not: its caller gets the error. Threads: any, also several at once; must not throw.
using undelivered_sink = void (*)(const undelivered& lost);

/// Replaces the sink; null restores the default, one line of level warning through the log sink.
/// Returns: the sink that was in force. Threads: any; the swap is atomic.
undelivered_sink set_undelivered_sink(undelivered_sink sink) noexcept;

/// Hands one message to the sink in force.
void report_undelivered(const undelivered& lost) noexcept;

}  // namespace troupe::inline v0_1
