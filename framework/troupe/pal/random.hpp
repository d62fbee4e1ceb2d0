#pragma once

#include <cstdint>

#include <troupe/version.hpp>

namespace troupe::inline v0_1::pal {

/// A small, fast, seedable source of numbers; one seed gives one sequence on every machine.
/// Source: Vigna, splitmix64. Not for secrets.
class random {
public:
  explicit random(std::uint64_t seed) noexcept : state_{seed} {}

  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

  /// Returns: a number in [0, bound). Requires: `bound` above zero.
  std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }

private:
  std::uint64_t state_;
};

/// Returns: a number from the system, to begin a sequence with that is like no other.
[[nodiscard]] std::uint64_t entropy() noexcept;

}  // namespace troupe::inline v0_1::pal
