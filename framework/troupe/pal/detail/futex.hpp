#pragma once

#include <cstdint>
#include <optional>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/clock.hpp>

namespace troupe::inline v0_1::pal::detail {

/// Sleeps as long as `word` is `value`, until futex_wake(), or `until` when there is one; or until
/// any moment, for no reason. Returns: false when `until` has passed.
/// A model checker replaces this header.
bool futex_wait(const pal::atomic<std::uint32_t>& word, std::uint32_t value,
                std::optional<time_point> until) noexcept;

/// Wakes one thread that sleeps on `word`, of which only the address is used: it may be gone.
void futex_wake(const pal::atomic<std::uint32_t>& word) noexcept;

}  // namespace troupe::inline v0_1::pal::detail
