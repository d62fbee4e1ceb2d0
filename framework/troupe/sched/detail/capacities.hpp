#pragma once

#include <cstddef>

#include <troupe/version.hpp>

namespace troupe::inline v0_1::detail {

// Numbers that a model checker has smaller ones in place of: a header of its own for that.

/// How many timers a worker's shelf holds.
inline constexpr std::size_t timer_shelf_capacity = 256;

/// A watcher that has seen nothing this often goes to sleep.
inline constexpr int max_empty_looks = 8;

}  // namespace troupe::inline v0_1::detail
