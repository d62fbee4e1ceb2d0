#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <troupe/sim/world.hpp>

#include "simulated/captured_output.hpp"

namespace troupe::tests {

/// What became of a program that was run in a world.
struct outcome {
  std::optional<int> code;  ///< None when it has not ended within ten minutes.
  std::string output;       ///< What it has printed.
  std::uint64_t hash = 0;   ///< The world's.
};

/// Makes a world, has `begin(world)` start a program in it, which returns its node, and runs the
/// world until that program has ended.
template <class Begin>
outcome run_in_world(std::uint64_t seed, Begin begin) {
  captured_output printed;
  sim::world world{seed};
  sim::node& main = begin(world);
  (void)world.run_until([&] { return main.exit_code().has_value(); }, std::chrono::minutes{10});
  return {main.exit_code(), printed.text(), world.trace_hash()};
}

}  // namespace troupe::tests
