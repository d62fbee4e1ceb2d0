#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <troupe/actor/ref.hpp>
#include <troupe/task/task.hpp>

#include "transport.hpp"

namespace service {

/// Gives the coordinator the actor that it asks, which owns a connection to the peer. Within the
/// process there is one kind of it in a build: with CAF carrier_caf.cpp, where that actor is one of
/// CAF; without (TROUPE_WITH_CAF=OFF) carrier_no_caf.cpp, where it is the wire itself and the
/// balance says caf=0, compared with nothing. See second_process.hpp for another one.
class carrier {
public:
  carrier() = default;
  carrier(const carrier&) = delete;
  carrier& operator=(const carrier&) = delete;
  virtual ~carrier() = default;

  /// Returns: an actor to ask. Errors: system_error when the peer cannot be reached.
  [[nodiscard]] virtual troupe::task<troupe::ref<pinging>> open() = 0;

  /// Returns: how many pings CAF actors have answered; nothing without CAF. After shut_down().
  [[nodiscard]] virtual std::optional<std::uint64_t> answered_by_caf() const = 0;

  /// Waits for the end of all that it has given. Requires: nobody uses it any more.
  virtual troupe::task<> shut_down() = 0;
};

/// Requires: a worker.
std::unique_ptr<carrier> make_carrier(std::uint16_t peer_port);

}  // namespace service
