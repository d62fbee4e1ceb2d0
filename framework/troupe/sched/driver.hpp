#pragma once

#include <cstddef>
#include <optional>

#include <troupe/pal/clock.hpp>

namespace troupe::inline v0_1 {

/// What an idle worker waits in: the source of events from outside, such as sockets.
///
/// The scheduler holds a lock of its own around wait() and poll(): at most one thread is in either.
/// Event handlers run inside these two calls, on a worker, and wake tasks through their wakers.
class driver {
public:
  virtual ~driver() = default;

  /// Runs the handlers of what has happened; if nothing has, waits until something does, until
  /// interrupt(), or until `until`. May return early for no reason.
  virtual void wait(std::optional<time_point> until) = 0;

  /// Runs the handlers of what has happened, without waiting; of about `most` events, so that the
  /// caller has room for what they wake. The rest is kept.
  virtual void poll(std::size_t most) = 0;

  /// Makes the wait() that is under way, or else the next one, return soon. Threads: any.
  virtual void interrupt() noexcept = 0;

  /// Returns: a descriptor that is readable when poll() has something to do, or after interrupt();
  /// -1 when there is none.
  [[nodiscard]] virtual int descriptor() const noexcept { return -1; }

  /// Begins a graceful stop: everything that takes in new work (accepting connections) ends with
  /// `canceled`, now and from now on. Threads: any.
  virtual void stop_intake() noexcept {}
};

}  // namespace troupe::inline v0_1
