#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>

#include <troupe/base/assert.hpp>
#include <troupe/base/block_pool.hpp>
#include <troupe/task/core.hpp>
#include <troupe/task/operation.hpp>

namespace troupe::inline v0_1 {

template <class T>
class task;

namespace detail {

template <class T>
struct is_task : std::false_type {};
template <class T>
struct is_task<task<T>> : std::true_type {};

/// A value, an exception, or nothing yet; what a coroutine leaves behind.
template <class T>
class outcome {
  using stored = std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, T>;

public:
  outcome() noexcept {}
  ~outcome() {
    if (state_ == state::value) std::destroy_at(&value_);
    if (state_ == state::error) std::destroy_at(&error_);
  }
  outcome(const outcome&) = delete;
  outcome& operator=(const outcome&) = delete;

  template <class U>
  void set_value(U&& value) {
    if constexpr (std::is_reference_v<T>) {
      std::construct_at(&value_, std::addressof(value));
    } else {
      std::construct_at(&value_, std::forward<U>(value));
    }
    state_ = state::value;
  }

  void set_error(std::exception_ptr error) noexcept {
    std::construct_at(&error_, std::move(error));
    state_ = state::error;
  }

  [[nodiscard]] std::exception_ptr error() const noexcept {
    return state_ == state::error ? error_ : nullptr;
  }

  T take() {
    if (state_ == state::error) std::rethrow_exception(std::exchange(error_, nullptr));
    TROUPE_ASSERT(state_ == state::value);
    if constexpr (std::is_reference_v<T>) {
      return static_cast<T>(*value_);
    } else {
      return std::move(value_);
    }
  }

private:
  enum class state : unsigned char { nothing, value, error };

  union {
    stored value_;
    std::exception_ptr error_;
  };
  state state_ = state::nothing;
};

template <>
class outcome<void> {
public:
  void set_error(std::exception_ptr error) noexcept { error_ = std::move(error); }
  [[nodiscard]] std::exception_ptr error() const noexcept { return error_; }
  void take() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

private:
  std::exception_ptr error_;
};

/// The part of a coroutine's promise that does not depend on its type.
class promise_base {
public:
  static void* operator new(std::size_t size_bytes) { return allocate_block(size_bytes); }
  static void operator delete(void* frame, std::size_t size_bytes) noexcept {
    free_block(frame, size_bytes);
  }

  std::suspend_always initial_suspend() noexcept { return {}; }

  struct final_awaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) noexcept {
      promise_base& self = ended.promise();
      if (self.continuation_) return self.continuation_;
      current_context()->finished = self.core_;  // A root: its worker sees to the rest.
      return std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  final_awaiter final_suspend() noexcept { return {}; }

  /// Gives an operation its task, and the line that awaits it.
  template <class Awaitable>
  decltype(auto) await_transform(Awaitable&& awaitable,
                                 std::source_location where = std::source_location::current()) {
    if constexpr (is_task<std::remove_cvref_t<Awaitable>>::value) {
      static_assert(!std::is_lvalue_reference_v<Awaitable>,
                    "a task is awaited once, as an rvalue: write co_await std::move(task)");
      return std::move(awaitable).await_at(where);
    } else if constexpr (requires { awaitable.await_ready(); }) {
      return std::forward<Awaitable>(awaitable);  // Shorter than the operation it may have as well.
    } else if constexpr (operation<std::remove_reference_t<Awaitable>>) {
      return operation_awaiter<std::remove_reference_t<Awaitable>&>{awaitable, core_, where};
    } else if constexpr (operation_source<Awaitable>) {
      using op = decltype(operation_at(std::forward<Awaitable>(awaitable), where));
      return operation_awaiter<op>{operation_at(std::forward<Awaitable>(awaitable), where), core_,
                                   where};
    } else {
      return std::forward<Awaitable>(awaitable);
    }
  }

  [[nodiscard]] task_core* core() const noexcept { return core_; }
  void belong_to(task_core* core) noexcept { core_ = core; }
  void continue_with(std::coroutine_handle<> caller) noexcept { continuation_ = caller; }

private:
  std::coroutine_handle<> continuation_;  // Null for the root of a spawned task.
  task_core* core_ = nullptr;
};

template <class T>
class promise final : public promise_base, public outcome<T> {
public:
  task<T> get_return_object() noexcept;
  void unhandled_exception() noexcept { this->set_error(std::current_exception()); }
  template <class U = T>
    requires std::is_convertible_v<U&&, T>
  void return_value(U&& value) {
    this->set_value(std::forward<U>(value));
  }
};

template <>
class promise<void> final : public promise_base, public outcome<void> {
public:
  task<void> get_return_object() noexcept;
  void unhandled_exception() noexcept { set_error(std::current_exception()); }
  void return_void() noexcept {}
};

}  // namespace detail

/// A coroutine that computes a T: lazy, awaited by one other coroutine or handed to spawn().
///
/// Nothing runs until it is awaited; awaiting costs a transfer of control, no scheduling. An
/// exception that leaves it is thrown out of the await. T may be void or a reference.
///
/// Requires: awaited at most once, as an rvalue (`co_await make()`, `co_await std::move(t)`).
/// Cancel:   a stop request reaches whatever the innermost coroutine waits for.
/// Bounds:   one frame; depth of awaits costs no stack.
/// Example:
///     task<int> answer() { co_return 42; }
///     task<> ask() { int n = co_await answer(); }
template <class T = void>
class [[nodiscard("nothing runs: co_await it or spawn() it")]] task {
public:
  using promise_type = detail::promise<T>;
  using value_type = T;
  using handle_type = std::coroutine_handle<promise_type>;

  task(task&& other) noexcept : handle_{std::exchange(other.handle_, nullptr)} {}
  task& operator=(task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~task() {
    if (handle_) handle_.destroy();
  }

  class awaiter {
  public:
    explicit awaiter(handle_type awaited) noexcept : awaited_{awaited} {}

    bool await_ready() const noexcept { return false; }

    template <class Promise>
      requires std::is_base_of_v<detail::promise_base, Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> caller) noexcept {
      awaited_.promise().belong_to(caller.promise().core());
      awaited_.promise().continue_with(caller);
      return awaited_;
    }

    T await_resume() { return awaited_.promise().take(); }

  private:
    handle_type awaited_;
  };

  /// The frame stays until this object is gone, at the end of the awaiting expression.
  awaiter operator co_await() && { return std::move(*this).await_at({}); }

  /// The same, told of the line.
  awaiter await_at(std::source_location where) && {
    if (!handle_) {
      misuse("a task was awaited twice, or after it was moved from: make a new one [T03]", where);
    }
    if (handle_.promise().core() != nullptr) {
      misuse("a task was awaited twice: keep its value instead of awaiting it again [T04]", where);
    }
    return awaiter{handle_};
  }

  /// Gives the coroutine to the caller, who destroys it. For the framework.
  [[nodiscard]] handle_type release() noexcept { return std::exchange(handle_, nullptr); }

private:
  friend promise_type;
  explicit task(handle_type handle) noexcept : handle_{handle} {}

  handle_type handle_;
};

namespace detail {

template <class T>
task<T> promise<T>::get_return_object() noexcept {
  return task<T>{std::coroutine_handle<promise<T>>::from_promise(*this)};
}

inline task<void> promise<void>::get_return_object() noexcept {
  return task<void>{std::coroutine_handle<promise<void>>::from_promise(*this)};
}

template <class T>
struct task_value {
  using type = T;
};
template <class T>
struct task_value<task<T>> {
  using type = T;
};

}  // namespace detail
}  // namespace troupe::inline v0_1
