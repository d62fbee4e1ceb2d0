#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <troupe/pal/clock.hpp>
#include <troupe/sim/world.hpp>

namespace troupe::inline v0_1::sim {

/// The faults of a world: some of those that may happen, at times that the seed chooses. They are
/// numbered as they are drawn, and those that a test which fails can do without are found by
/// for_each_seed().
///
/// Threads: the world's.
/// Example:
///     sim::chaos faults{world};
///     faults.may("the bank is killed", [&] {
///       bank.kill();
///       world.after(2s, [&] { bank.restart(); });
///     });
///     faults.draw(5, 30s);
class chaos {
public:
  explicit chaos(world& where) noexcept : world_{where} {}

  /// Adds a fault that may happen, any number of times. `act` is called between two turns and must
  /// not throw; it lives as long as the world.
  void may(std::string what, std::function<void()> act);

  /// Draws up to `most` faults, each at a time within the next `length`. Requires: one was added.
  void draw(std::size_t most, duration length);

private:
  struct fault {
    std::string what;
    std::function<void()> act;
  };

  world& world_;
  std::vector<fault> faults_;
};

}  // namespace troupe::inline v0_1::sim
