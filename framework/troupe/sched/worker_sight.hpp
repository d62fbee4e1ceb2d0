#pragma once

#include <cstdint>

#include <troupe/pal/thread.hpp>

namespace troupe::inline v0_1 {

namespace detail {
class actor_block;
class task_core;
}  // namespace detail

/// What one worker does, as another thread sees it: each field is true of about the same moment.
struct worker_sight {
  std::uint64_t turns = 0;               ///< How many it has begun.
  bool in_turn = false;                  ///< One of them runs.
  detail::task_core* task = nullptr;     ///< Whose turn it is; null for another job's.
  detail::actor_block* actor = nullptr;  ///< The actor whose own turn it is.
  const char* handles = nullptr;         ///< The message which that has begun last.
  pal::thread_id thread{};               ///< Where it runs, or has run last.
};

}  // namespace troupe::inline v0_1
