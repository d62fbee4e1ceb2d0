#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/sim/world.hpp>

namespace troupe::inline v0_1::sim {

/// A seed under which a test failed. Its text says what failed, which faults it takes, and how to
/// see it again.
class seed_failed : public std::runtime_error {
public:
  seed_failed(const std::string& text, std::uint64_t seed, std::vector<std::size_t> faults)
      : runtime_error{text}, seed_{seed}, faults_{std::move(faults)} {}

  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
  /// Returns: the numbers of a few faults that it fails with: leave out any one of them, and it
  ///          passes. See chaos.
  [[nodiscard]] const std::vector<std::size_t>& faults() const noexcept { return faults_; }

private:
  std::uint64_t seed_;
  std::vector<std::size_t> faults_;
};

/// Runs `body` in a world of its own for each of the seeds 1 to `count`; it fails by an exception,
/// such as the violation that world::check() and invariants throw.
///
/// With TROUPE_SIM_SEED=N in the environment it runs that seed alone and writes its trace to the
/// log; with TROUPE_SIM_PLAN=3,7 or none only these faults of it happen. A failure names both, and
/// for a test that `./dev` has started the command with them.
///
/// `test` names it in that text. `config` is that of the worlds; its seed and faults do not count.
/// Errors:  seed_failed at the first one that fails; std::invalid_argument for a variable that is
///          no number.
/// Bounds:  to find which faults it takes, a failed seed is run again up to 300 times.
/// Example:
///     sim::for_each_seed("bank.money_is_kept", 500, [](sim::world& world) { ... });
void for_each_seed(std::string_view test, std::uint64_t count,
                   const std::function<void(world&)>& body, world_config config = {});

}  // namespace troupe::inline v0_1::sim
