#include <troupe/task/when_all.hpp>

#include <troupe/task/failure.hpp>

namespace troupe::inline v0_1::detail {

child_group::~child_group() {
  if (!is_taken_) report_untaken();
  for (task_core* child : children_) child->destroy();
}

// It was a branch that has lost: one of its failures is told, as if it were awaited.
void child_group::report_untaken() const noexcept {
  for (task_core* each : children_) {
    std::exception_ptr error = each->exception();
    if (error) return report_failure({error, each->spawned_at()});
  }
}

void child_group::on_child_end(task_core& child) noexcept {
  task_core* above = parent();
  bool has_failed = child.exception() != nullptr;
  if (has_failed) failed_.store(true, std::memory_order_relaxed);
  bool is_last = running_.fetch_sub(1, std::memory_order_release) == 1;  // -> poll, R1
  if (is_last || has_failed) above->nudge();
}

void child_group::rethrow() {
  is_taken_ = true;
  if (start_error_) std::rethrow_exception(start_error_);
  bool any_canceled = false;
  for (task_core* each : children_) {
    if (std::exception_ptr error = each->exception()) std::rethrow_exception(error);
    any_canceled |= each->any_exception() != nullptr;
  }
  if (any_canceled) throw canceled{};
}

}  // namespace troupe::inline v0_1::detail
