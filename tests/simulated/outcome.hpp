#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include <troupe/sim/explore.hpp>
#include <troupe/sim/world.hpp>

#include "simulated/captured_output.hpp"

namespace troupe::test {

/// What became of a program that was run in a world.
struct outcome {
  std::optional<int> code;  ///< None when it has not ended within ten minutes.
  std::string output;       ///< What it has printed.
  std::uint64_t hash = 0;   ///< The world's.
};

/// Has `begin(world)` start a program, whose node it returns, and runs the world until that program
/// has ended.
template <class Begin>
outcome run_program(sim::world& world, Begin begin) {
  captured_output printed;
  sim::node& main = begin(world);
  (void)world.run_until([&] { return main.exit_code().has_value(); }, std::chrono::minutes{10});
  return {main.exit_code(), printed.text(), world.trace_hash()};
}

/// Throws what the program has printed where something is not as it has to be.
inline void require(bool is_right, const char* what, const outcome& seen) {
  if (is_right) return;
  throw std::runtime_error{fmt::format("not so: {}; exit code {}, printed:\n{}", what,
                                       seen.code.value_or(-1), seen.output)};
}

/// The same in as many worlds, where it has to end with 0.
template <class Begin>
void explore_program(const std::string& name, std::uint64_t seeds, Begin begin) {
  sim::explore(name, seeds, [&](sim::world& world) {
    outcome seen = run_program(world, begin);
    require(seen.code == 0, "it ends well", seen);
  });
}

/// Runs it twice for each of a few seeds: what it prints, and the worlds' histories, have to be the
/// same, and others for each seed.
template <class Begin>
void require_one_history(Begin begin) {
  auto history_of = [&](std::uint64_t seed) {
    sim::world world{seed};
    return run_program(world, begin);
  };
  std::optional<std::uint64_t> before;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    outcome seen = history_of(seed), again = history_of(seed);
    BOOST_TEST(seen.output == again.output);
    BOOST_TEST(seen.hash == again.hash);
    BOOST_TEST((before != seen.hash));
    before = seen.hash;
  }
}

}  // namespace troupe::test
