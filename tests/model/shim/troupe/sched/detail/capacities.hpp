#pragma once

#include <cstddef>

#include <troupe/version.hpp>

namespace troupe::inline v0_1::detail {

// Stands in for the header of the same name.

/// Few places, each of which takes part in every look at the shelf.
inline constexpr std::size_t timer_shelf_capacity = 2;

/// Each look takes many steps, and the last one is the one that matters.
inline constexpr int max_empty_looks = 2;

}  // namespace troupe::inline v0_1::detail
