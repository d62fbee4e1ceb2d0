#pragma once

#include <cstddef>

#include <troupe/version.hpp>

namespace troupe::inline v0_1 {

/// Distance in bytes at which two fields written by different threads do not disturb one another.
inline constexpr std::size_t cache_line_bytes = 64;

}  // namespace troupe::inline v0_1
