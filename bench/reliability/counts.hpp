#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace reliability {

/// What a run is made from: one seed gives one plan.
struct settings {
  std::uint64_t seed = 1;
  std::uint64_t count = 1;    ///< Of what is counted.
  std::uint64_t seconds = 1;  ///< Of what goes by time.
};

// Each breaks something, counts what comes of it, and returns that as one line of JSON. Errors:
// std::exception where it could not be counted.
std::string storm_of_crashes(const settings& how);
std::string flood(const settings& how);
std::string jumping_clock(const settings& how);
std::string planted_stalls(const settings& how);

/// Returns: the memory of this process that is there.
[[nodiscard]] std::size_t resident_bytes();

}  // namespace reliability
