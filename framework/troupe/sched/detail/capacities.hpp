#pragma once

#include <cstddef>

#include <troupe/version.hpp>

namespace troupe::inline v0_1::detail {

/// How many timers a worker's shelf holds. In a header of its own for a model checker, which has a
/// smaller one in its place.
inline constexpr std::size_t timer_shelf_capacity = 256;

}  // namespace troupe::inline v0_1::detail
