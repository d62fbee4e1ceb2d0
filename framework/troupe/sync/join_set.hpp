#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/system/result.hpp>

#include <troupe/base/assert.hpp>
#include <troupe/sync/detail/join_set_core.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/task.hpp>

namespace troupe::inline v0_1 {

/// What a task has ended with: its value, or what left it; `canceled` when it was stopped.
/// value() rethrows.
template <class T>
using task_result = boost::system::result<T, std::exception_ptr>;

namespace detail {

template <class T>
struct all_values {
  using type = std::vector<T>;
  using list = type;
};
template <>
struct all_values<void> {
  using type = void;
  struct list {};
};

}  // namespace detail

/// Tasks that are spawned one by one, and whose results are taken as they come.
///
/// Dropping the set asks every task in it to stop, and does not wait: they unwind by themselves
/// afterwards, so what they refer to has to outlive them. Where they refer to locals, await
/// cancel_all() or join_all() first, or use a scope. Exceptions that nobody has taken from the set
/// go to the failure sink.
///
/// Requires: T is an object type or void; every task of the set gives exactly that.
/// Threads:  one at a time. The tasks are free ones, as those of troupe::spawn.
/// Bounds:   one small block for each task, until its result is taken.
/// Source:   Tokio's JoinSet.
/// Example:
///     join_set<std::string> fetches;
///     for (auto& url : urls) fetches.spawn(fetch, url);
///     while (auto page = co_await fetches.next()) use(*page);
template <class T>
class join_set {
  static_assert(std::is_object_v<T> || std::is_void_v<T>, "a join_set's tasks give values");

public:
  join_set() : core_{new detail::join_set_core} {}
  join_set(join_set&& other) noexcept : core_{std::exchange(other.core_, nullptr)} {}
  join_set& operator=(join_set&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~join_set() {
    if (core_ != nullptr) core_->let_go();
  }

  /// Starts a task in the set; see troupe::spawn for `f`, `args` and errors.
  template <class F>
  void spawn(F&& f, std::source_location where = std::source_location::current()) {
    start(where, std::forward<F>(f));
  }
  template <class F, detail::not_a_location A, detail::not_a_location... Rest>
  void spawn(F&& f, A&& a, Rest&&... rest) {
    start(std::source_location{}, std::forward<F>(f), std::forward<A>(a),
          std::forward<Rest>(rest)...);
  }

  /// What next() yields: the value, or true where T is void.
  using value_type = std::conditional_t<std::is_void_v<T>, bool, std::optional<T>>;

  class next_result_operation final : public detail::next_ended {
  public:
    using next_ended::next_ended;
    std::optional<task_result<T>> take() {
      detail::ended_task ended{*core_};
      if (ended.task() == nullptr) return std::nullopt;
      if (std::exception_ptr error = ended.task()->take_exception()) {
        return task_result<T>{boost::system::in_place_error, std::move(error)};
      }
      if constexpr (std::is_void_v<T>) {
        return task_result<T>{boost::system::in_place_value};
      } else {
        return task_result<T>{boost::system::in_place_value,
                              detail::take_outcome<T>(*ended.task())};
      }
    }
  };

  class next_operation final : public detail::next_ended {
  public:
    using next_ended::next_ended;
    value_type take() {
      detail::ended_task ended{*core_};
      if (ended.task() == nullptr) return value_type{};
      if constexpr (std::is_void_v<T>) {
        detail::take_outcome<T>(*ended.task());
        return true;
      } else {
        return value_type{std::in_place, detail::take_outcome<T>(*ended.task())};
      }
    }
    /// Makes the await hand over the exception too: it yields std::optional<task_result<T>>.
    [[nodiscard]] next_result_operation as_result() && { return next_result_operation{*core_}; }
  };

  /// Waits for the next task to end, and takes it out of the set. Ends come in their order.
  ///
  /// Returns: its value (true where T is void); nothing (false) when the set is empty.
  /// Errors:  what left the task: `canceled` when it was stopped. as_result() tells that from a
  ///          stop of the awaiting task.
  /// Cancel:  no task is taken out.
  [[nodiscard]] next_operation next() { return next_operation{core()}; }

  /// What join_all() yields.
  using all_type = typename detail::all_values<T>::type;

  /// Waits until all tasks have ended, and takes them out.
  ///
  /// Returns: their values, in the order of ending; nothing where T is void.
  /// Errors:  the first exception in that order. The rest is then stopped and awaited; what that
  ///          ends with stays in the set, for next().
  /// Cancel:  the tasks go on. Values of those that had ended already are lost.
  [[nodiscard]] task<all_type> join_all() {
    std::exception_ptr failed;
    typename detail::all_values<T>::list values;
    while (!failed) {
      auto ended = co_await next().as_result();
      if (!ended) break;
      if (ended->has_error()) {
        failed = ended->error();
      } else if constexpr (!std::is_void_v<T>) {
        values.push_back(std::move(**ended));
      }
    }
    if (failed) {
      co_await cancel_all();
      std::rethrow_exception(failed);
    }
    if constexpr (!std::is_void_v<T>) co_return values;
  }

  /// Asks every task in the set to stop, and returns at once.
  void request_stop() noexcept {
    if (core_ != nullptr) core_->request_stop();
  }

  /// Asks every task in the set to stop and waits until all have ended; not to be stopped itself.
  /// Results, `canceled` among them, are still taken by next().
  [[nodiscard]] detail::all_canceled cancel_all() { return detail::all_canceled{core()}; }

  /// Returns: the number of tasks that run, or whose result was not taken.
  [[nodiscard]] std::size_t size() const noexcept { return core_ == nullptr ? 0 : core_->size(); }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }

private:
  template <class F, class... Args>
  void start(std::source_location where, F&& f, Args&&... args) {
    using in_set = detail::task_in_set<std::decay_t<F>>;
    static_assert(std::is_same_v<detail::spawned_value<F, Args...>, T>,
                  "this task gives another type than its join_set<T>");
    executor& exec = detail::require_executor(detail::spawn_outside, where);
    detail::join_set_core& set = core();
    detail::set_member& fresh = set.add();
    try {
      in_set work{detail::membership{set, fresh}, std::forward<F>(f)};
      fresh.task =
          &detail::start_on(exec, nullptr, where, std::move(work), std::forward<Args>(args)...);
    } catch (...) {
      set.remove_ended(fresh);  // `work` has ended.
      throw;
    }
  }

  detail::join_set_core& core() const {
    if (core_ == nullptr)
      misuse("a join_set was used after it was moved from: use the one that has it now [S08]");
    return *core_;
  }

  detail::join_set_core* core_;
};

}  // namespace troupe::inline v0_1
