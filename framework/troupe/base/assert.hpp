#pragma once

#include <source_location>
#include <string>

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
/// `text` is one line that names what is wrong and what to do instead, with a code such as [T01] at
/// its end: docs/errors.md has a section for each. The handler gets it with `where`, a line of the
/// calling program, before it, where that is known; and behind it the task or the actor whose turn
/// it is: `main.cpp:7: text [T01] (in the task spawned at main.cpp:3)`.
[[noreturn]] void misuse(const char* text, std::source_location where = {});

namespace detail {

/// A layer that knows what the calling thread is at. Static: it is never taken back.
class turn_teller {
public:
  /// What appends to the text, where it knows something: ` (in the task spawned at main.cpp:3)`.
  using function = void (*)(std::string& text);
  explicit turn_teller(function tell) noexcept;
  turn_teller(const turn_teller&) = delete;
  turn_teller& operator=(const turn_teller&) = delete;

  /// Appends what all of them know.
  static void tell_all(std::string& text);

private:
  function tell_;
  const turn_teller* next_;
};

/// Appends `main.cpp:3`. Requires: the line is known.
void append_place(std::string& text, std::source_location where);

[[noreturn]] void assertion_failed(const char* file, int line, const char* condition) noexcept;
}  // namespace detail

}  // namespace troupe::inline v0_1

/// Aborts with file, line and condition when an invariant is broken. Stays on in release builds:
/// wrong state is worse than no process.
#define TROUPE_ASSERT(condition) \
  ((condition) ? void() : ::troupe::detail::assertion_failed(__FILE__, __LINE__, #condition))
