#pragma once

#include <cstdlib>
#include <exception>
#include <source_location>

#include <model/model.hpp>

// A model is one unit, for a mutant of any of these to be compiled in.
#include <troupe/base/result.cpp>
#include <troupe/task/core.cpp>
#include <troupe/task/executor.hpp>
#include <troupe/task/failure.hpp>
#include <troupe/task/waker.hpp>

namespace troupe::model {

class modelled_task;

}  // namespace troupe::model

namespace troupe::inline v0_1 {

inline void report_failure(const failure&) noexcept {
  model::check(false, "no task of a model fails");
}

namespace detail {

template <>
struct debug_access<model::modelled_task> {
  static task_core* make(executor& exec) {
    auto* made = new task_core;
    made->exec_.store(&exec, std::memory_order_relaxed);
    return made;
  }
};

}  // namespace detail
}  // namespace troupe::inline v0_1

namespace troupe::model {

/// A thread of a model as a task: its cell and its wake word are those that ship, and who schedules
/// it lets the thread go on. One that nobody wakes is a deadlock, which Relacy reports.
class modelled_task final : public executor {
public:
  modelled_task() : core_{detail::debug_access<modelled_task>::make(*this)} {
    woken_.init(false, false, here());
  }
  modelled_task(const modelled_task&) = delete;
  modelled_task& operator=(const modelled_task&) = delete;
  ~modelled_task() {
    woken_.deinit(here());
    delete core_;
  }

  [[nodiscard]] detail::task_core& core() noexcept { return *core_; }

  /// Awaits `op` as operation_awaiter does. Returns: false when a stop request has ended the wait.
  template <class Op>
  bool await(Op& op) {
    while (!op.poll()) {
      if (core_->stop_requested()) return false;
      bool is_enlisted = op.enlist(core_->current_waker());
      if (is_enlisted && core_->commit_wait(false) == detail::task_core::wait_outcome::suspended) {
        wait_for_wake();
      }
      op.delist();
    }
    return true;
  }

  void schedule(job& ready) noexcept override {
    check(&ready == core_, "it is this task's job");
    check(sleeps_, "it was suspended, and is scheduled once");
    sleeps_ = false;
    woken_.set(here());
  }
  void schedule_back(job& ready) noexcept override { schedule(ready); }
  void count_foreign_spawn() noexcept override {}
  [[nodiscard]] pal::clock& clock() const noexcept override { std::abort(); }

private:
  static rl::debug_info here() { return info_of(std::source_location::current()); }

  // No other thread of the model runs between the step that has suspended the task and this note.
  void wait_for_wake() {
    sleeps_ = true;
    woken_.wait(false, false, here());
  }

  detail::task_core* core_;
  rl::generic_event woken_;
  bool sleeps_ = false;
};

}  // namespace troupe::model
