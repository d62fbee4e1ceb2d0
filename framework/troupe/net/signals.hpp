#pragma once

#include <initializer_list>
#include <memory>

#include <troupe/base/result.hpp>
#include <troupe/io/wait_count.hpp>
#include <troupe/task/operation.hpp>

namespace troupe::inline v0_1::net {

namespace detail {

class signal_watch;

/// The next signal of a signals object.
class signal_operation final {
public:
  static constexpr const char* name = "a signal";

  explicit signal_operation(signal_watch& watch) noexcept : watch_{&watch} {}

  void start() const;
  bool poll() noexcept;
  bool enlist(waker key) noexcept;
  void delist() noexcept;
  [[nodiscard]] int take() const noexcept { return number_; }

private:
  signal_watch* watch_;
  int number_ = 0;
  io::wait_count count_;
};

struct signal_watch_closer {
  void operator()(signal_watch* watch) const noexcept;
};

}  // namespace detail

/// Signals of the process, to await. Move-only.
///
/// While it lives, its signals no longer do what they do by themselves, such as to end the process;
/// the last object for a signal puts back what was there before. Several objects, also of several
/// runtimes, may listen to one signal: each is told. run() goes on to stop at SIGINT and SIGTERM
/// when they are listened to here: with runtime_config::handle_signals = false they are yours
/// alone.
///
/// A signal that comes between two calls of next() is kept; several of the same number count as
/// one, as they do in the kernel. A task that waits here is alive: run() does not end before it.
///
/// Threads: one task at a time.
/// Bounds:  one descriptor, and one for the process from the first object on.
/// Example:
///     net::signals hangups{SIGHUP};
///     for (;;) {
///       co_await hangups.next();
///       reload();
///     }
class signals {
public:
  /// From here on the signals are kept for next().
  /// Errors: system_error when a number is none that can be handled (SIGKILL, SIGSTOP), or when the
  ///         system is out of descriptors. A fault of the program, such as SIGSEGV, is a misuse, as
  ///         is a call outside a runtime.
  signals(std::initializer_list<int> numbers);

  /// Waits for one of the signals. Returns: its number; of several that have come, each in turn.
  /// Cancel:  nothing is lost.
  [[nodiscard]] detail::signal_operation next();

private:
  std::unique_ptr<detail::signal_watch, detail::signal_watch_closer> watch_;
};

}  // namespace troupe::inline v0_1::net
