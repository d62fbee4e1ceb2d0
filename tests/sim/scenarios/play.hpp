#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/pal/clock.hpp>

namespace troupe::scenarios {

/// How one scenario went.
struct outcome {
  std::string_view family;
  std::optional<std::string> violation;
  std::uint64_t hash = 0;
  std::uint64_t steps = 0;
  duration length{};
  std::vector<std::string> trace;
};

/// Plays the scenario of a seed, of the family that it chooses, or of `only`.
[[nodiscard]] outcome play(std::uint64_t seed, std::string_view only, bool keeps_trace);

/// The same twice: both must have one history, and the second must leave nothing on the heap.
[[nodiscard]] outcome play_twice(std::uint64_t seed, std::string_view only);

}  // namespace troupe::scenarios
