#pragma once

#include <source_location>
#include <utility>

#include <troupe/task/start.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// Waits for the end of a task that a handle or a parent owns.
class join_wait {
public:
  static constexpr const char* name = "the end of a task";

  explicit join_wait(task_core& core) noexcept : core_{&core} {}

  bool poll() noexcept { return core_->done(); }
  bool enlist(waker key) noexcept { return core_->join(key); }
  void delist() noexcept { core_->leave(); }

protected:
  task_core* core_;
};

class cancel_operation final : public join_wait {
public:
  static constexpr const char* name = "the end of a canceled task";

  using join_wait::join_wait;
  void start() noexcept { core_->request_stop(); }
  [[nodiscard]] bool shielded() const noexcept { return true; }
  void take() noexcept {}
};

}  // namespace detail

/// The right to the result of one spawned task.
///
/// `co_await handle` waits for the end and gives the value, or throws what left the task:
/// `canceled` when it was stopped. Dropping the handle detaches: the task goes on alone, and an
/// exception that nobody awaits goes to the failure sink.
///
/// Requires: awaited once. Threads: one at a time.
/// Cancel:   a stop of the awaiting task leaves the awaited one alone; use a scope for the other.
template <class T>
class join_handle {
public:
  explicit join_handle(detail::task_core& core) noexcept : core_{&core} {}
  join_handle(join_handle&& other) noexcept : core_{std::exchange(other.core_, nullptr)} {}
  join_handle& operator=(join_handle&& other) noexcept {
    if (this != &other) {
      detach();
      core_ = std::exchange(other.core_, nullptr);
    }
    return *this;
  }
  ~join_handle() { detach(); }

  class operation final : public detail::join_wait {
  public:
    explicit operation(join_handle& handle) noexcept : join_wait{*handle.core_}, handle_{&handle} {}

    T take() {
      // The value lives in the cell: it is freed only after the value has been moved out.
      join_handle ended{std::move(*handle_)};
      return detail::take_outcome<T>(*ended.core_);
    }

  private:
    join_handle* handle_;
  };

  /// The wait for the result, for `co_await`, select and timeout.
  [[nodiscard]] operation as_operation(std::source_location where = {}) {
    require_task(where);
    return operation{*this};
  }

  /// Returns: true when the task has ended and awaiting will not wait.
  [[nodiscard]] bool done() const noexcept { return core_ != nullptr && core_->done(); }

  /// Asks the task to stop, and returns at once.
  void request_stop() noexcept {
    if (core_ != nullptr) core_->request_stop();
  }

  /// Asks the task to stop and waits until it has unwound; not to be stopped itself. Afterwards the
  /// handle can still be awaited: it throws `canceled`, or gives what the task had finished with.
  [[nodiscard]] detail::cancel_operation cancel(
      std::source_location where = std::source_location::current()) {
    require_task(where);
    return detail::cancel_operation{*core_};
  }

  /// Lets the task go on alone.
  void detach() noexcept {
    if (core_ != nullptr) std::exchange(core_, nullptr)->detach();
  }

private:
  void require_task(std::source_location where) const {
    if (core_ == nullptr) {
      misuse(
          "a join_handle was used after it was awaited, moved from or detached: keep its value "
          "[T01]",
          where);
    }
  }

  detail::task_core* core_;
};

}  // namespace troupe::inline v0_1
