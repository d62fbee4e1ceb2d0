#pragma once

#include <cstdint>

#include <troupe/version.hpp>

namespace troupe::inline v0_1 {

/// What the workers of a runtime have done since its start; sums over all of them. Each number is
/// exact at some moment close to the call, and none is taken at the same moment as another.
struct scheduler_counters {
  std::uint64_t turns = 0;      ///< Jobs run.
  std::uint64_t spawned = 0;    ///< Tasks started.
  std::uint64_t ended = 0;      ///< Tasks ended.
  std::uint64_t stolen = 0;     ///< Jobs taken from another worker.
  std::uint64_t overflows = 0;  ///< Times that a full run queue gave half of its jobs away.
  std::uint64_t parks = 0;      ///< Times that a worker went to sleep.
  std::uint64_t wakes = 0;      ///< Times that a worker was woken by another thread.
};

}  // namespace troupe::inline v0_1
