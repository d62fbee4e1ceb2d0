#pragma once

#include <troupe/version.hpp>

namespace troupe::inline v0_1::pal {

/// What is called when a signal has come: inside a signal handler, so it may do little else than
/// atomic operations and write(2). errno is kept for it.
using signal_act = void (*)(int number) noexcept;

/// Has `act` called for each signal of one number while it lives.
///
/// Several may live for one signal: each different `act` is called once. The first one puts a
/// handler in the place of what the program does on that signal, the last one puts that back; an
/// `act` may still be running on another thread then, so it must stay valid for ever.
///
/// Threads: any.
/// Bounds:  at most 4 different acts for a signal.
class signal_hook {
public:
  /// Errors: std::system_error, EINVAL for what is no signal, or one that cannot be handled.
  signal_hook(int number, signal_act act);
  ~signal_hook();

  signal_hook(const signal_hook&) = delete;
  signal_hook& operator=(const signal_hook&) = delete;

private:
  int number_;
  signal_act act_;
};

/// Returns: whether the program has no handler of its own for that signal: hooks are none.
[[nodiscard]] bool is_unclaimed(int number) noexcept;

}  // namespace troupe::inline v0_1::pal
