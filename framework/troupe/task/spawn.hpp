#pragma once

#include <concepts>
#include <source_location>
#include <type_traits>
#include <utility>

// First, so that what the compiler refuses there stands in the third line that it says.
#include <troupe/task/task.hpp>

#include <troupe/task/join_handle.hpp>

namespace troupe::inline v0_1 {

namespace detail {

inline constexpr const char* spawn_outside =
    "spawn() was called outside a runtime: call it in a task, or start one with troupe::run(main) "
    "[T02]";

template <class T>
concept not_a_location = !std::same_as<std::remove_cvref_t<T>, std::source_location>;

template <class F, class... Args>
auto spawn_here(std::source_location where, F&& f, Args&&... args) {
  static_assert(is_task<std::remove_cvref_t<F>>::value ||
                    std::is_invocable_v<std::decay_t<F>, std::decay_t<Args>...>,
                "spawn(f, arguments...): f takes no copies of these; std::ref() for a reference");
  executor& exec = require_executor(spawn_outside, where);
  return join_handle<spawned_value<F, Args...>>{
      start_on(exec, nullptr, where, std::forward<F>(f), std::forward<Args>(args)...)};
}

}  // namespace detail

/// Starts a task on the current runtime and returns at once.
///
/// `f(args...)` is a coroutine returning task<T>, or a plain function; `f` may also be a task<T>
/// itself. The task owns the callable and its arguments until it has ended, so that a capturing
/// coroutine lambda is safe here. Arguments are copied as they are: give a coroutine that takes
/// `const std::string&` a std::string, not a literal. `f` is called on the task's first turn: what
/// it throws ends the task.
///
/// Returns:  the handle of the result. Dropping it detaches the task.
/// Errors:   std::bad_alloc. Outside a runtime: a misuse, one line, exit code 1.
/// Threads:  workers of a runtime; the new task may run on any of them.
/// Example:
///     join_handle<int> h = spawn([]() -> task<int> { co_return 42; });
///     int n = co_await h;
template <class F>
auto spawn(F&& f, std::source_location where = std::source_location::current()) {
  return detail::spawn_here(where, std::forward<F>(f));
}
template <class F, detail::not_a_location A>
auto spawn(F&& f, A&& a, std::source_location where = std::source_location::current()) {
  return detail::spawn_here(where, std::forward<F>(f), std::forward<A>(a));
}
template <class F, detail::not_a_location A, detail::not_a_location B>
auto spawn(F&& f, A&& a, B&& b, std::source_location where = std::source_location::current()) {
  return detail::spawn_here(where, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b));
}
template <class F, detail::not_a_location A, detail::not_a_location B, detail::not_a_location C>
auto spawn(F&& f, A&& a, B&& b, C&& c,
           std::source_location where = std::source_location::current()) {
  return detail::spawn_here(where, std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                            std::forward<C>(c));
}
/// With more arguments the place of the call is not recorded.
template <class F, detail::not_a_location A, detail::not_a_location B, detail::not_a_location C,
          detail::not_a_location... Rest>
  requires(sizeof...(Rest) > 0)
auto spawn(F&& f, A&& a, B&& b, C&& c, Rest&&... rest) {
  return detail::spawn_here(std::source_location{}, std::forward<F>(f), std::forward<A>(a),
                            std::forward<B>(b), std::forward<C>(c), std::forward<Rest>(rest)...);
}

}  // namespace troupe::inline v0_1
