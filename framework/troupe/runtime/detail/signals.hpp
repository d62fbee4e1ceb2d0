#pragma once

#include <cstddef>
#include <optional>

#include <troupe/pal/signal_hook.hpp>
#include <troupe/version.hpp>

namespace troupe::inline v0_1::detail {

/// Tells a descriptor about SIGINT and SIGTERM while it lives, the second of which ends the
/// process; and about SIGUSR1, unless the program has a handler of its own for it.
///
/// The handler only writes to event descriptors, which is all that a handler may safely do.
/// Several may live at once, also beside net::signals for the same signals: all are told. The
/// actions that were in force come back with the last one.
class stop_signals {
public:
  /// `event_fd` gets 1 added per signal. Requires: it outlives this object.
  explicit stop_signals(int event_fd);

private:
  struct place {
    explicit place(int event_fd);
    ~place();
    place(const place&) = delete;
    place& operator=(const place&) = delete;

    std::size_t index;
  };

  place place_;
  pal::signal_hook interrupt_;
  pal::signal_hook terminate_;
  std::optional<pal::signal_hook> dump_;
};

/// Returns: true once after each SIGUSR1, or after several.
bool take_dump_signal() noexcept;

/// Returns: how many stop signals the process has had while somebody listened.
int stop_signal_count() noexcept;

}  // namespace troupe::inline v0_1::detail
