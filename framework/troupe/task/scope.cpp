#include <troupe/task/scope.hpp>

namespace troupe::inline v0_1::detail {

// Children are left only when the runtime has ended, which destroys the scope's frame.
scope_state::~scope_state() {
  while (sibling_link* left = children_.pop_front()) left->task().destroy();
}

void scope_state::on_child_start(task_core& child) noexcept {
  child_owner::on_child_start(child);
  pal::lock guard{mutex_};
  children_.push_back(child.sibling);
  ++live_;
  if (stopping_) child.request_stop();
}

void scope_state::on_child_end(task_core& child) noexcept {
  {
    pal::lock guard{mutex_};
    intrusive_list<sibling_link>::erase(child.sibling);
  }
  std::exception_ptr error = child.exception();
  bool was_stopped = !error && child.any_exception() != nullptr;
  child.destroy();
  if (error) stop_all();
  task_core* above = parent();
  bool is_last = false;
  {
    pal::lock guard{mutex_};
    if (error && !first_error_) first_error_ = error;
    any_canceled_ |= was_stopped;
    is_last = --live_ == 0;
  }
  // The scope may be gone by now; the parent's cell is type-stable.
  if (is_last) above->nudge();
}

void scope_state::stop_all() noexcept {
  pal::lock guard{mutex_};
  stopping_ = true;
  children_.for_each([](sibling_link& child) { child.task().request_stop(); });
}

bool scope_state::has_ended() noexcept {
  pal::lock guard{mutex_};
  return live_ == 0;
}

}  // namespace troupe::inline v0_1::detail
