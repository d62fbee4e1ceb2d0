#pragma once

#include <source_location>

#include <troupe/actor/detail/actor_block.hpp>
#include <troupe/base/assert.hpp>
#include <troupe/task/context.hpp>

namespace troupe::inline v0_1::detail {

/// Returns: the actor whose handler, or task of it, runs on this thread; null when none does.
[[nodiscard]] inline actor_block* current_actor() noexcept {
  context* here = current_context();
  if (here == nullptr) return nullptr;
  return here->current != nullptr ? here->current->actor() : here->actor;
}

/// The same where self() is wanted: a misuse where there is none.
[[nodiscard]] inline actor_block& require_current_actor(std::source_location where) {
  if (current_context() != nullptr && current_context()->constructs) {
    misuse(
        "self() was called in an actor's constructor, where it is no actor yet: use on_start() "
        "[A06]",
        where);
  }
  actor_block* here = current_actor();
  if (here == nullptr) {
    misuse(
        "self() was called outside of an actor's handler: call it in one, or in a task that one "
        "has started [A05]",
        where);
  }
  return *here;
}

}  // namespace troupe::inline v0_1::detail
