#pragma once

#include <coroutine>
#include <type_traits>

#include <troupe/task/task.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// The same where it is raced or bounded in time: ready once the task has gone behind the others.
class yield_operation {
public:
  static constexpr const char* name = "its next turn (yield)";

  yield_operation() noexcept {}

  bool poll() noexcept { return has_given_way_; }
  bool enlist(waker) noexcept {
    current_context()->gives_way = true;
    return has_given_way_ = true;
  }
  void delist() noexcept {}
  void take() noexcept {}

private:
  bool has_given_way_ = false;
};

class yield_awaiter {
public:
  yield_awaiter() noexcept {}

  [[nodiscard]] yield_operation as_operation() const noexcept { return yield_operation{}; }

  bool await_ready() const noexcept { return false; }

  template <class Promise>
    requires std::is_base_of_v<promise_base, Promise>
  bool await_suspend(std::coroutine_handle<Promise> caller) noexcept {
    task_core& task = *caller.promise().core();
    if (task.stop_requested()) {
      stopped_ = true;
      return false;
    }
    task.suspend_at(caller, nullptr);
    task.schedule_back();
    return true;
  }

  void await_resume() const {
    if (stopped_) throw canceled{};
  }

private:
  bool stopped_ = false;
};

}  // namespace detail

/// Gives way: the task goes behind everything that is ready on its worker.
/// Errors: `canceled` when the task was asked to stop.
/// Example: `co_await yield();` It can stand in select and timeout, too.
[[nodiscard]] inline detail::yield_awaiter yield() noexcept { return detail::yield_awaiter{}; }

}  // namespace troupe::inline v0_1
