#pragma once

#include <troupe/version.hpp>

namespace troupe::inline v0_1 {

/// What to do about a misuse of the interface; see set_misuse_handler(). Must not return.
using misuse_handler = void (*)(const char* text);

/// Replaces what happens on a misuse; returns the handler that was in force.
/// The default writes `text` as one line through the log sink and ends the process with code 1.
/// A handler may throw instead of ending the process; tests do so.
/// Threads: any; the swap is atomic.
misuse_handler set_misuse_handler(misuse_handler handler) noexcept;

/// Reports a use of the interface that cannot be right, such as `spawn` outside a runtime.
/// `text` is one line that names what is wrong and what to do instead.
[[noreturn]] void misuse(const char* text);

namespace detail {
[[noreturn]] void assertion_failed(const char* file, int line, const char* condition) noexcept;
}  // namespace detail

}  // namespace troupe::inline v0_1

/// Aborts with file, line and condition when an invariant is broken. Stays on in release builds:
/// wrong state is worse than no process.
#define TROUPE_ASSERT(condition) \
  ((condition) ? void() : ::troupe::detail::assertion_failed(__FILE__, __LINE__, #condition))
