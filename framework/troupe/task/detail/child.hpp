#pragma once

#include <exception>
#include <source_location>
#include <utility>
#include <variant>

#include <troupe/task/detail/child_owner.hpp>
#include <troupe/task/join_handle.hpp>

namespace troupe::inline v0_1::detail {

/// A task as a branch of select, timeout or when_all: a child of the awaiting task, which runs at
/// the same time and is awaited whatever happens.
template <class T>
class child_operation : public child_owner {
public:
  static constexpr const char* name = "the end of a child task";

  explicit child_operation(task<T>&& body, std::source_location where) noexcept
      : body_{std::move(body)}, where_{where} {}
  child_operation(child_operation&& other) noexcept
      : body_{std::move(other.body_)},
        where_{other.where_},
        core_{std::exchange(other.core_, nullptr)} {}
  /// A child that has not ended is left only when the runtime has, which destroys the frame of the
  /// awaiting task: what the child refers to there has to outlive it.
  ~child_operation() {
    if (core_ == nullptr) return;
    if (!core_->done()) core_->abandon();
    core_->detach();
  }

  void start() noexcept {
    executor& exec = require_executor(
        "select() or timeout() of a task was awaited outside a runtime: await it in a task [T05]",
        where_);
    try {
      belong_to_current();
      core_ = &start_on(exec, gives_turns() ? this : nullptr, where_, std::move(body_));
    } catch (
        ...) {  // No memory for it: its siblings may run already, and are awaited all the same.
      start_error_ = std::current_exception();
    }
  }
  void stop() noexcept {
    if (core_ != nullptr) core_->request_stop();
  }
  bool poll() noexcept { return core_ == nullptr || core_->done(); }
  bool enlist(waker key) noexcept { return core_ != nullptr && core_->join(key); }
  void delist() noexcept {
    if (core_ != nullptr) core_->leave();
  }
  void on_child_end(task_core& child) noexcept override { child.tell_handle(); }
  T take() {
    if (start_error_) std::rethrow_exception(start_error_);
    return take_outcome<T>(*core_);
  }

private:
  task<T> body_;
  std::source_location where_;
  task_core* core_ = nullptr;
  std::exception_ptr start_error_;
};

/// Makes an operation of a branch: a task becomes a child, the rest stays what it is.
template <class Branch>
decltype(auto) to_branch(Branch&& branch, std::source_location where) {
  if constexpr (is_task<std::remove_cvref_t<Branch>>::value) {
    return child_operation{std::forward<Branch>(branch), where};
  } else {
    return to_operation(std::forward<Branch>(branch));
  }
}

template <class Branch>
using branch_operation =
    std::remove_cvref_t<decltype(to_branch(std::declval<Branch>(), std::source_location{}))>;

template <class T>
concept branch_source = operation_source<T> || is_task<std::remove_cvref_t<T>>::value;

/// What a branch yields, fit to stand in a variant or a tuple.
template <class T>
using stored_yield = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

}  // namespace troupe::inline v0_1::detail
