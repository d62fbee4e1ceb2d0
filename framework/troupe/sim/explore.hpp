#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <troupe/sim/world.hpp>

namespace troupe::inline v0_1::sim {

/// Runs a test in `seeds` worlds, one after the other, each with another seed: 1, 2, and so on.
///
/// What leaves `body`, a violation for example, ends the search: one line in the log names the seed
/// and the command that runs it again. With TROUPE_SIM_SEED set in the environment that seed alone
/// is run, and a failure shows the last lines of its trace.
///
/// `name`: as ctest knows the test, `layer.suite/case`.
/// Errors: what leaves `body`.
/// Example:
///     sim::explore("bank.transfers_/no_money_is_lost", 1000, [](sim::world& world) {
///       sim::node& bank = world.add_node("bank");
///       ...
///     });
void explore(const std::string& name, std::uint64_t seeds, const std::function<void(world&)>& body,
             world_config config = {});

}  // namespace troupe::inline v0_1::sim
