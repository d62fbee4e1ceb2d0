#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <troupe/actor/ref.hpp>
#include <troupe/task/task.hpp>

#include "transport.hpp"

namespace service {

/// Gives a wire the actor that the coordinator asks. There is one kind of it in a build: with CAF
/// carrier_caf.cpp, where that actor is one of CAF; without (TROUPE_WITH_CAF=OFF)
/// carrier_no_caf.cpp, where it is the wire itself and the balance says caf=0, compared with
/// nothing.
class carrier {
public:
  carrier() = default;
  carrier(const carrier&) = delete;
  carrier& operator=(const carrier&) = delete;
  virtual ~carrier() = default;

  /// Returns: an actor, which keeps the wire.
  [[nodiscard]] virtual troupe::ref<pinging> carry(troupe::ref<wire> over) = 0;

  /// Returns: how many pings CAF actors have answered; nothing without CAF.
  [[nodiscard]] virtual std::optional<std::uint64_t> answered_by_caf() const = 0;

  /// Waits for the end of all that it has given. Requires: nobody uses it any more.
  virtual troupe::task<> shut_down() = 0;
};

/// Requires: a worker.
std::unique_ptr<carrier> make_carrier();

}  // namespace service
