#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include <troupe/pal/clock.hpp>

namespace troupe::inline v0_1::sim {

/// Something that must hold in a simulated world did not, at one of its steps.
class violation : public std::runtime_error {
public:
  violation(std::string name, std::uint64_t seed, std::uint64_t step, duration time);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
  [[nodiscard]] std::uint64_t step() const noexcept { return step_; }
  [[nodiscard]] duration time() const noexcept { return time_; }

private:
  std::string name_;
  std::uint64_t seed_;
  std::uint64_t step_;
  duration time_;
};

/// What an actor fails with that a world has crashed.
class injected_crash : public std::runtime_error {
public:
  injected_crash() : std::runtime_error{"crashed by the simulation"} {}
};

/// A task was waited for that can never end: nothing in its world can happen any more.
class stuck : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

}  // namespace troupe::inline v0_1::sim
