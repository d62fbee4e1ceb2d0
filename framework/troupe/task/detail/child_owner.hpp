#pragma once

#include <troupe/task/context.hpp>
#include <troupe/task/core.hpp>

namespace troupe::inline v0_1::detail {

/// The owner of tasks that one task, their parent, awaits in every case. They work for the actor
/// that the parent works for, and on its turns alone: what they share with its handlers is safe.
///
///   R1. The parent does not end before its children: its owner outlives this one.
class child_owner : public task_owner {
public:
  void on_child_start(task_core& child) noexcept override {
    child.works_as(*parent_);
    if (turns_ != nullptr) child.route_by_owner();
  }
  [[nodiscard]] actor_block* actor() const noexcept override { return parent_->actor(); }
  [[nodiscard]] envelope* message() const noexcept override { return parent_->message(); }
  void route(task_core& ready) noexcept override { turns_->route(ready); }
  [[nodiscard]] task_owner* turns_of_children() override { return turns_; }

protected:
  ~child_owner() = default;

  /// Makes the running task the parent. Errors: std::bad_alloc.
  void belong_to_current() {
    parent_ = current_context()->current;
    task_owner* owner = parent_->owner();
    if (owner != nullptr) turns_ = owner->turns_of_children();
  }
  [[nodiscard]] task_core* parent() const noexcept { return parent_; }
  [[nodiscard]] bool gives_turns() const noexcept { return turns_ != nullptr; }

private:
  task_core* parent_ = nullptr;
  task_owner* turns_ = nullptr;  // Who gives them; null for nobody in particular.
};

}  // namespace troupe::inline v0_1::detail
