#pragma once

#include <troupe/task/core.hpp>
#include <troupe/task/waker.hpp>

namespace troupe::inline v0_1::detail {

/// Tasks whose waits were ended under a lock, to be scheduled outside of it, oldest first.
///
/// They are linked by job::next, which belongs to whoever has claimed the task: any number needs no
/// memory.
class claimed_tasks {
public:
  claimed_tasks() = default;
  claimed_tasks(const claimed_tasks&) = delete;
  claimed_tasks& operator=(const claimed_tasks&) = delete;

  /// Ends the wait of `key`, unless it is over.
  void claim(waker key) noexcept {
    task_core* task = key.claim();
    if (task == nullptr) return;  // Awake for another reason, or it has not suspended yet.
    task->next = nullptr;
    *end_ = task;
    end_ = &task->next;
  }

  /// Requires: the locks under which they were claimed have been released.
  void schedule() noexcept {
    while (first_ != nullptr) {
      job* next = first_->next;  // Before it runs.
      static_cast<task_core*>(first_)->schedule();
      first_ = next;
    }
    end_ = &first_;
  }

private:
  job* first_ = nullptr;
  job** end_ = &first_;
};

}  // namespace troupe::inline v0_1::detail
