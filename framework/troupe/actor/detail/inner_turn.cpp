// Turns of actors within those of the tasks that ask them, and the workers that keep actors for it.

#include <exception>

#include <troupe/actor/detail/actor_block.hpp>
#include <troupe/actor/detail/request.hpp>
#include <troupe/pal/barrier.hpp>
#include <troupe/pal/thread.hpp>
#include <troupe/sched/scheduler.hpp>
#include <troupe/task/context.hpp>

namespace troupe::inline v0_1::detail {

inline void actor_block::run_here(context& here, request_base& message) {
  const envelope_table& kind = *message.table;
  here.handles = kind.message_name;
  current_ = &message;
  was_active_ = true;
  has_begun_ = true;
  kind.run_here(*this, message);
}

// A plain handler's run() and settle(), without what only mail needs: a sixth of the instructions.
bool actor_block::try_run(request_base& message) noexcept {
  context& here = *current_context();
  bool may_run = here.takes_turns_in && here.exec == exec_address() &&
                 message.table->run_here != nullptr && !is_pinned_;
  if (!may_run) return false;
  if (mail_.sleeps_with(&here)) return try_visit(here, message);
  std::uint64_t awake = 0;
  void* keeper = nullptr;
  if (!mail_.wake(awake, keeper)) return false;
  if (keeper != nullptr) {  // Of another worker.
    take_from(*static_cast<context*>(keeper));
    return false;
  }
  inner_turn turn{here, *this};
  try {
    run_here(here, message);
  } catch (...) {
    (void)settle(std::current_exception());
    return true;
  }
  // Whoever sleeps has given all room back.
  void* mark = may_be_kept(here) ? &here : nullptr;
  if (has_taken_up_ || (!mail_.sleep_again(awake, mark) && !try_idle())) [[unlikely]] {
    schedule_turn();  // There is more to do.
  }
  return true;
}

// The same of an actor that this worker keeps. K1
bool actor_block::try_visit(context& here, request_base& message) noexcept {
  here.visits.store(this, std::memory_order_release);  // -> take_from, K3
  pal::light_barrier();
  if (!mail_.sleeps_with(&here)) {
    leave_visit(here);
    return false;
  }
  inner_turn turn{here, *this};
  try {
    run_here(here, message);
  } catch (...) {
    end_visit_awake(here);
    (void)settle(std::current_exception());
    return true;
  }
  if (has_taken_up_) [[unlikely]] {  // There is more to do.
    end_visit_awake(here);
    schedule_turn();
  } else {
    leave_visit(here);
  }
  return true;
}

// After `idle` was cleared. R6
void actor_block::schedule_woken(void* keeper) noexcept {
  if (keeper != nullptr) return take_from(*static_cast<context*>(keeper));
  schedule_turn();
}

// K1, K2
void actor_block::take_from(context& keeper) noexcept {
  bool is_other_thread = &keeper != current_context();
  // Who has handed the turn over holds nothing up any more, and looks at the keeper once again.
  scheduler::foreign_visit visit{static_cast<scheduler&>(exec())};
  auto keeper_is_in = [&] {
    if (is_other_thread) pal::heavy_barrier();
    return keeper.visits.load(std::memory_order_acquire) == this;  // <- leave_visit, K3
  };
  while (keeper_is_in()) {
    actor_block* none = nullptr;
    if (!keeper.left_over.compare_exchange_strong(none, this, std::memory_order_relaxed)) {
      pal::spin_hint();  // Another one's, for a moment.
      continue;
    }
    if (keeper_is_in()) return;
    actor_block* own = this;
    if (!keeper.left_over.compare_exchange_strong(own, nullptr, std::memory_order_relaxed)) {
      return;  // The keeper has it.
    }
  }
  if (is_other_thread) note_taken();
  schedule_turn();
}

// What the keeper does when it is in no actor any more. K2
void actor_block::leave_visit(context& here) noexcept {
  here.visits.store(nullptr, std::memory_order_release);  // -> take_from, K3
  pal::light_barrier();
  if (here.left_over.load(std::memory_order_relaxed) == nullptr) [[likely]]
    return;
  actor_block* woken = here.left_over.exchange(nullptr, std::memory_order_relaxed);
  if (woken != nullptr) {
    woken->note_taken();
    woken->schedule_turn();
  }
}

// The keeper goes on as one whose turn it is, awake, whoever has woken the actor meanwhile.
void actor_block::end_visit_awake(context& here) noexcept {
  std::uint64_t awake = 0;
  void* keeper = nullptr;
  for (bool is_mine = false; !is_mine;) {
    if (mail_.sleeps_with(&here)) {
      is_mine = mail_.wake(awake, keeper);
      continue;
    }
    // Somebody else has woken it, and hands it over; in between, others may do so with theirs.
    actor_block* woken = here.left_over.exchange(nullptr, std::memory_order_relaxed);
    is_mine = woken == this;
    if (woken != nullptr && !is_mine) woken->schedule_turn();
    if (woken == nullptr) pal::spin_hint();
  }
  leave_visit(here);
}

}  // namespace troupe::inline v0_1::detail
