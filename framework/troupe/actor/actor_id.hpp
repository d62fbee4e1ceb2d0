#pragma once

#include <compare>
#include <cstdint>

#include <troupe/version.hpp>

namespace troupe::inline v0_1 {

/// Tells actors apart, also when they have ended. Two are equal when they name the same one.
struct actor_id {
  const void* block = nullptr;
  std::uint32_t generation = 0;
  friend auto operator<=>(const actor_id&, const actor_id&) = default;
};

}  // namespace troupe::inline v0_1
