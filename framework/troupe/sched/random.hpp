#pragma once

#include <cstdint>

#include <troupe/version.hpp>

namespace troupe::inline v0_1 {

/// Returns: a random number, of all that fit. In a runtime that has a seed the sequence is the
/// seed's; elsewhere it is another one for each thread and process. Not for secrets.
/// Threads: any.
/// Example: `auto jitter = std::chrono::milliseconds{random_number() % 100};`
[[nodiscard]] std::uint64_t random_number() noexcept;

}  // namespace troupe::inline v0_1
