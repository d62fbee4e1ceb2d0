#pragma once

#include <concepts>
#include <coroutine>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include <troupe/base/result.hpp>
#include <troupe/task/core.hpp>
#include <troupe/task/stop.hpp>
#include <troupe/task/waker.hpp>

namespace troupe::inline v0_1 {

/// What can be awaited, raced by `select` and bounded by `timeout`: a step that either commits or
/// leaves everything untouched.
///
///   poll()      tries to commit, without waiting; true when it has. Called until it is true.
///   enlist(w)   asks for `w` to be woken when poll() may succeed. False: poll again now.
///   delist()    takes enlist() back; harmless when there is nothing to take back.
///   take()      what the operation yields, once, after poll() was true. A `result<T>` is unwrapped
///               by the await: its value, or its error as a system_error.
///
/// All four run on the turn of the awaiting task. An operation that has children of its own also
/// has `start()`, called once before the first poll (with the line of the await, if it takes one),
/// and `stop()`: called once when the task is asked to stop; the task then waits, deaf to stop
/// requests, until poll() is true, as it has to be from there on. take() then throws `canceled`,
/// unless it has something to yield all the same. When it can commit before its children have
/// ended, it has `committed()`, which then is true from there on: it has won a race, although
/// poll() is not true yet. One that has more to say of its failure than its code throws that from
/// `throw_in_words(where)`, called before take(). One that has to know that nothing else can end
/// its wait is told by `await_alone()`, first of all.
template <class Op>
concept operation = requires(Op& op, waker key) {
  { op.poll() } noexcept -> std::same_as<bool>;
  { op.enlist(key) } noexcept -> std::same_as<bool>;
  { op.delist() } noexcept;
  op.take();
  { Op::name } -> std::convertible_to<const char*>;
};

namespace detail {

template <class Op>
concept structured_operation = operation<Op> && requires(Op& op) { op.stop(); };

template <class Op>
concept early_committing_operation = structured_operation<Op> && requires(const Op& op) {
  { op.committed() } noexcept -> std::same_as<bool>;
};

template <class Op>
concept startable_operation =
    requires(Op& op) { op.start(); } || requires(Op& op) { op.start(std::source_location{}); };

/// Tells an operation that it begins, and at which line where it wants to know that.
template <class Op>
[[gnu::always_inline]] inline void start_at(Op& op, std::source_location where) {
  if constexpr (requires { op.start(where); }) {
    op.start(where);
  } else if constexpr (requires { op.start(); }) {
    op.start();
  }
}

/// What take() of an as_result() operation yields: not to be unwrapped.
template <class T>
struct verbatim {
  T value;
};

template <class T>
T unwrap(result<T>&& outcome) {
  if (outcome.has_error()) throw_error(outcome.error());
  if constexpr (!std::is_void_v<T>) return std::move(*outcome);
}
template <class T>
T unwrap(verbatim<T>&& outcome) {
  return std::move(outcome.value);
}
template <class T>
T unwrap(T&& outcome) {
  return std::forward<T>(outcome);
}

/// What awaiting `Op` yields.
template <class Op>
[[gnu::always_inline]] inline decltype(auto) take_unwrapped(Op& op,
                                                            std::source_location where = {}) {
  if constexpr (requires { op.throw_in_words(where); }) op.throw_in_words(where);
  if constexpr (std::is_void_v<decltype(op.take())>) {
    op.take();
  } else {
    return unwrap(op.take());
  }
}

template <class Op>
using yield_of = decltype(take_unwrapped(std::declval<Op&>()));

/// Stops counting as an operation of its own: yields its result<T> as a value.
template <class Op>
class as_result_operation {
public:
  static constexpr const char* name = Op::name;

  explicit as_result_operation(Op&& op) : op_{std::move(op)} {}

  void start(std::source_location where)
    requires startable_operation<Op>
  {
    start_at(op_, where);
  }
  void stop() noexcept
    requires structured_operation<Op>
  {
    op_.stop();
  }
  [[nodiscard]] bool committed() const noexcept
    requires early_committing_operation<Op>
  {
    return op_.committed();
  }
  void await_alone() noexcept
    requires requires(Op& op) { op.await_alone(); }
  {
    op_.await_alone();
  }
  bool poll() noexcept { return op_.poll(); }
  bool enlist(waker key) noexcept { return op_.enlist(key); }
  void delist() noexcept { op_.delist(); }
  auto take() { return verbatim<decltype(op_.take())>{op_.take()}; }

private:
  Op op_;
};

/// Gives an operation whose take() yields a result<T> its `.as_result()`.
template <class Self>
class fallible_operation {
public:
  /// Makes the await hand over the result<T> instead of throwing its error.
  [[nodiscard]] auto as_result() && {
    return as_result_operation<Self>{static_cast<Self&&>(*this)};
  }
};

/// Awaits one operation. `Op` is a reference to an operation, or one held by value.
template <class Op>
class operation_awaiter final : public pending_wait {
  using plain = std::remove_reference_t<Op>;

public:
  operation_awaiter(Op&& op, task_core* task, std::source_location where) noexcept
      : op_{std::forward<Op>(op)}, task_{task}, where_{where} {}

  operation_awaiter(const operation_awaiter&) = delete;
  operation_awaiter& operator=(const operation_awaiter&) = delete;

  ~operation_awaiter() {
    if (enlisted_) op_.delist();  // Only when a suspended task is destroyed by the runtime's end.
  }

  // What is ready at once is all in the coroutine that awaits it: nearly every await goes this way.
  [[gnu::always_inline]] bool await_ready() {
    if constexpr (requires(plain& op) { op.await_alone(); }) op_.await_alone();
    if (!is_shielded() && task_->stop_requested()) {
      stopped_ = true;
      return true;
    }
    start_at(op_, where_);
    done_ = op_.poll();
    return done_ && consume_budget();
  }

  bool await_suspend(std::coroutine_handle<> caller) noexcept {
    if (done_) {  // The budget is used up: give way, with what was committed in hand.
      task_->suspend_at(caller, nullptr);
      task_->schedule_back();
      return true;
    }
    task_->suspend_at(caller, this);
    task_->record_wait(plain::name, where_);
    return !wait();
  }

  [[gnu::always_inline]] decltype(auto) await_resume() {
    if (stopped_) [[unlikely]]
      throw_canceled();
    return take_unwrapped(op_, where_);
  }

  bool on_wake() noexcept override {
    delist();
    return look() || wait();
  }

private:
  [[noreturn, gnu::noinline]] static void throw_canceled() { throw canceled{}; }

  [[nodiscard]] bool is_shielded() const noexcept {
    if constexpr (requires(plain& op) { op.shielded(); }) {
      return op_.shielded() || closing_;
    } else {
      return closing_;
    }
  }

  void delist() noexcept {
    op_.delist();
    enlisted_ = false;
  }

  // Returns: true when the operation is over; false when the task is suspended (task_core R5).
  bool wait() noexcept {
    for (;;) {
      // Set before enlist(): another worker may run on_wake() as soon as commit_wait() succeeds.
      enlisted_ = true;
      bool is_enlisted = op_.enlist(task_->current_waker());
      // Also when another branch may be ready: that keeps.
      if (std::exchange(current_context()->gives_way, false)) {
        task_->schedule_back();  // Awake: it is woken by nobody, and goes on when its turn comes.
        return false;
      }
      if (is_enlisted && task_->commit_wait(is_shielded()) == task_core::wait_outcome::suspended) {
        return false;
      }
      delist();
      if (look()) return true;
    }
  }

  bool look() noexcept {
    if (op_.poll()) return done_ = true;
    if (is_shielded() || !task_->stop_requested()) return false;
    if constexpr (structured_operation<plain>) {
      closing_ = true;
      op_.stop();
      return op_.poll();
    } else {
      return stopped_ = true;
    }
  }

  Op op_;
  task_core* task_;
  std::source_location where_;
  bool done_ = false;     // poll() was true.
  bool stopped_ = false;  // A stop request ended the wait; nothing was committed.
  bool closing_ = false;  // stop() was called; the children are awaited.
  bool enlisted_ = false;
};

/// The operation of what has one, told of the line that awaits it where it wants to know that.
template <class T>
decltype(auto) operation_at(T&& source, std::source_location where) {
  if constexpr (requires { std::forward<T>(source).as_operation(where); }) {
    return std::forward<T>(source).as_operation(where);
  } else {
    return std::forward<T>(source).as_operation();
  }
}

/// Makes an operation of what can stand where an operation is wanted.
template <class T>
decltype(auto) to_operation(T&& source) {
  if constexpr (operation<std::remove_reference_t<T>>) {
    return std::forward<T>(source);
  } else {
    return std::forward<T>(source).as_operation();
  }
}

template <class T>
concept operation_source = operation<std::remove_reference_t<T>> ||
                           requires(T&& source) { std::forward<T>(source).as_operation(); };

}  // namespace detail
}  // namespace troupe::inline v0_1
