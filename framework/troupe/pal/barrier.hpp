#pragma once

#include <atomic>

#include <troupe/version.hpp>

namespace troupe::inline v0_1::pal {

/// An asymmetric pair of full barriers: light on the path taken often, heavy on the rare one.
///
/// If a thread stores A, runs light_barrier() and loads B, and another stores B, runs
/// heavy_barrier() and loads A, then at least one of them sees the other's store.
/// Source: membarrier(2), MEMBARRIER_CMD_PRIVATE_EXPEDITED; about 10 us for the heavy one.
/// Under TSan, which knows no fences, both are a locked operation on one common word.
#if defined(__SANITIZE_THREAD__)
#define TROUPE_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TROUPE_UNDER_TSAN 1
#endif
#endif
#if defined(TROUPE_UNDER_TSAN)
void light_barrier() noexcept;
#else
inline void light_barrier() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }
#endif

/// The rare side; see light_barrier().
void heavy_barrier() noexcept;

}  // namespace troupe::inline v0_1::pal
