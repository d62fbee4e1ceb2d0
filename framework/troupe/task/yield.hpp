#pragma once

#include <coroutine>
#include <type_traits>

#include <troupe/task/task.hpp>

namespace troupe::inline v0_1 {

namespace detail {

class yield_awaiter {
public:
  yield_awaiter() noexcept {}

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
/// Example: `co_await yield();`
[[nodiscard]] inline detail::yield_awaiter yield() noexcept { return detail::yield_awaiter{}; }

}  // namespace troupe::inline v0_1
