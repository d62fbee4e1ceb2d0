#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include <troupe/io/endpoint.hpp>

namespace troupe::inline v0_1::sim {

/// A machine of a simulated network: a name that resolves to an address.
///
/// Several nodes may be programs of one machine: they share its ports, its loopback addresses and
/// the paths of its unix sockets.
/// Threads: as the world.
class host {
public:
  /// The first machine of a network has number 1, and the address 10.0.0.1.
  host(std::string name, std::size_t number)
      : name_{std::move(name)},
        number_{number},
        address_{io::endpoint::v4(
            {10, 0, static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)},
            0)} {}

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::size_t number() const noexcept { return number_; }
  /// Returns: as text, `10.0.0.1`.
  [[nodiscard]] std::string address() const { return address_.host(); }
  [[nodiscard]] const io::endpoint& endpoint() const noexcept { return address_; }

private:
  std::string name_;
  std::size_t number_;
  io::endpoint address_;
};

}  // namespace troupe::inline v0_1::sim
