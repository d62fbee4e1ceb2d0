#pragma once

#include <string_view>

#include <troupe/version.hpp>

namespace troupe::inline v0_1 {

/// How urgent a line of text is.
enum class log_level { debug, info, warning, error };

/// Where all text of the library goes: called with one line, without its line end.
/// Threads: called from any thread, also from several at once.
using log_sink = void (*)(log_level level, std::string_view text);

/// Replaces the sink; null restores the default, which writes warnings and errors to stderr.
/// Returns: the sink that was in force.
/// Threads: any; the swap is atomic.
log_sink set_log_sink(log_sink sink) noexcept;

/// Hands one line to the sink in force.
void log(log_level level, std::string_view text);

}  // namespace troupe::inline v0_1
