#pragma once

#include <troupe/actor/detail/actor_block.hpp>
#include <troupe/task/context.hpp>

namespace troupe::inline v0_1::detail {

/// Returns: the actor whose handler, or task of it, runs on this thread; null when none does.
[[nodiscard]] inline actor_block* current_actor() noexcept {
  context* here = current_context();
  if (here == nullptr) return nullptr;
  return here->current != nullptr ? here->current->actor() : here->actor;
}

}  // namespace troupe::inline v0_1::detail
