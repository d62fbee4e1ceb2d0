#pragma once

#include <exception>
#include <source_location>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <troupe/pal/atomic.hpp>
#include <troupe/task/detail/child.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// The children of one when_all: started together, stopped at the first failure, all awaited.
///
///   R1. Each child takes one from `running_` at its end and then nudges the parent's cell, which
///       is type-stable: nothing of this object is touched after the subtraction.
class child_group : public child_owner {
public:
  static constexpr const char* name = "the end of all child tasks (when_all)";

  explicit child_group(std::size_t capacity) { children_.reserve(capacity); }
  child_group(child_group&& other) noexcept : children_{std::move(other.children_)} {}
  ~child_group();

  void on_child_end(task_core& child) noexcept override;

  void stop() noexcept {
    for (task_core* each : children_) each->request_stop();
  }
  bool poll() noexcept {
    if (running_.load(std::memory_order_acquire) == 0) return true;  // <- on_child_end
    if (failed_.load(std::memory_order_relaxed) && !std::exchange(stopping_, true)) stop();
    return false;
  }
  bool enlist(waker) noexcept { return !poll(); }  // R1: children nudge, they hold no waker.
  void delist() noexcept {}

protected:
  template <class T>
  void start_child(task<T>&& body, std::source_location where) {
    executor& exec = require_executor(
        "when_all() was awaited outside a runtime: await it in a task [T07]", where);
    if (start_error_) return;
    running_.fetch_add(1, std::memory_order_relaxed);
    try {
      // Once: a child that runs already may be looking at it.
      if (parent() == nullptr) belong_to_current();
      children_.push_back(&start_on(exec, this, where, std::move(body)));
    } catch (...) {  // No memory for a task. Those that run already have to end first.
      start_error_ = std::current_exception();
      failed_.store(true, std::memory_order_relaxed);
      running_.fetch_sub(1, std::memory_order_relaxed);
    }
  }

  [[nodiscard]] task_core& child(std::size_t index) const noexcept { return *children_[index]; }
  [[nodiscard]] std::size_t size() const noexcept { return children_.size(); }

  /// Throws the failure that is first in the order of the children, or `canceled`.
  void rethrow();

private:
  void report_untaken() const noexcept;

  std::vector<task_core*> children_;
  std::exception_ptr start_error_;  // Why a child could not be started.
  pal::atomic<std::size_t> running_{0};
  pal::atomic<bool> failed_{false};
  bool stopping_ = false;
  bool is_taken_ = false;
};

template <class... T>
class when_all_tuple final : public child_group {
public:
  explicit when_all_tuple(std::source_location where, task<T>&&... tasks)
      : child_group{sizeof...(T)}, tasks_{std::move(tasks)...}, where_{where} {}

  void start() {
    std::apply([this](auto&... each) { (start_child(std::move(each), where_), ...); }, tasks_);
  }

  std::tuple<stored_yield<T>...> take() {
    rethrow();
    return take_values(std::index_sequence_for<T...>{});
  }

private:
  template <std::size_t... I>
  std::tuple<stored_yield<T>...> take_values(std::index_sequence<I...>) {
    return std::tuple<stored_yield<T>...>{take_one<T>(child(I))...};
  }

  template <class U>
  static stored_yield<U> take_one(task_core& ended) {
    if constexpr (std::is_void_v<U>) {
      return {};
    } else {
      return take_outcome<U>(ended);
    }
  }

  std::tuple<task<T>...> tasks_;
  std::source_location where_;
};

template <class T>
class when_all_vector final : public child_group {
public:
  explicit when_all_vector(std::source_location where, std::vector<task<T>>&& tasks)
      : child_group{tasks.size()}, tasks_{std::move(tasks)}, where_{where} {}

  void start() {
    for (auto& each : tasks_) start_child(std::move(each), where_);
  }

  auto take() {
    rethrow();
    if constexpr (!std::is_void_v<T>) {
      std::vector<T> values;
      values.reserve(size());
      for (std::size_t i = 0; i < size(); ++i) values.push_back(take_outcome<T>(child(i)));
      return values;
    }
  }

private:
  std::vector<task<T>> tasks_;
  std::source_location where_;
};

}  // namespace detail

/// Runs several tasks at the same time and waits for all of them.
///
/// Returns: a tuple of their values, std::monostate for void.
/// Errors:  the first failure in the order of the arguments; the others are asked to stop as soon
///          as one fails, and awaited.
/// Cancel:  all are asked to stop, and awaited; where all end with a value all the same, these are
///          given.
/// Example:
///     auto both = co_await when_all(first(), second());
///     auto& [a, b] = both;
template <class... T>
[[nodiscard]] auto when_all(task<T>... tasks) {
  return detail::when_all_tuple<T...>{std::source_location{}, std::move(tasks)...};
}

/// The same for any number of tasks of one type. Returns: a vector of their values, in order.
template <class T>
[[nodiscard]] auto when_all(std::vector<task<T>> tasks,
                            std::source_location where = std::source_location::current()) {
  return detail::when_all_vector<T>{where, std::move(tasks)};
}

}  // namespace troupe::inline v0_1
