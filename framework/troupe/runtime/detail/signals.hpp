#pragma once

#include <array>
#include <csignal>

#include <troupe/version.hpp>

namespace troupe::detail {

/// Tells a descriptor about SIGINT and SIGTERM while it lives, the second of which ends the
/// process, and about SIGUSR1, where that would else end the process.
///
/// The handler only writes to event descriptors, which is all that a handler may safely do.
/// Several may live at once; the actions that were in force come back with the last one.
class stop_signals {
public:
  /// `event_fd` gets 1 added per signal. Requires: it outlives this object.
  explicit stop_signals(int event_fd);
  ~stop_signals();

  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;

private:
  std::size_t place_;
};

/// Returns: true once after each SIGUSR1, or after several.
bool take_dump_signal() noexcept;

/// Returns: how many stop signals the process has had while somebody listened.
int stop_signal_count() noexcept;

}  // namespace troupe::detail
