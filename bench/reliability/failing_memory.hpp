#pragma once

#include <cstdint>

namespace reliability {

/// The memory of this program: `operator new` and the framework's pair in `base/memory` are its
/// own here, count what is held, and fail when told to. With RELIABILITY_SHOW_PLACE in the
/// environment the addresses of each failing call go to stderr. Threads: any.
namespace failing_memory {

/// From now on the `nth` allocation fails, counted from 1, and the `more` that follow it.
void fail_at(std::uint64_t nth, std::uint64_t more = 0) noexcept;
/// None fails any more. Returns: how many have failed since fail_at().
std::uint64_t relent() noexcept;
/// Returns: how many blocks are held.
[[nodiscard]] std::int64_t held() noexcept;

}  // namespace failing_memory
}  // namespace reliability
