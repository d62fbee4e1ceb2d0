#pragma once

#include <concepts>
#include <exception>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

// First, so that what the compiler refuses there stands in the third line that it says.
#include <troupe/task/task.hpp>

#include <troupe/runtime/config.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// Runs a program to its end; see run().
int run_program(const runtime_config& config, std::function<task<int>()> program);

/// Returns: what a program ends with whose main task has ended; its exception is one line.
int exit_code_of(task_core& main) noexcept;

/// The main task of a program: awaits `call()`, which is called within it, so that what it throws
/// is an exception out of main.
template <class Call>
task<int> main_task_of(Call& call) {
  using returned = std::invoke_result_t<Call&>;
  static_assert(std::is_same_v<returned, task<>> || std::is_same_v<returned, task<int>>,
                "a main task must return task<> or task<int>");
  if constexpr (std::is_same_v<returned, task<int>>) {
    co_return co_await call();
  } else {
    co_await call();
    co_return 0;
  }
}

template <class F, class... Args>
int run_with(const runtime_config& config, F&& f, Args&&... args) {
  auto arguments = std::tuple<std::decay_t<Args>...>{std::forward<Args>(args)...};
  auto call = [&f, &arguments] {
    return std::apply([&f](auto&... each) { return std::invoke(f, std::move(each)...); },
                      arguments);
  };
  return run_program(config, [&call] { return main_task_of(call); });
}

}  // namespace detail

/// Runs a program: starts a runtime, runs `f(args...)` as its main task, and returns when that and
/// everything it has spawned have ended, and no timer, I/O or blocking work is left.
///
/// SIGINT and SIGTERM stop it gracefully within config.shutdown_budget: no new connections, main is
/// asked to stop, then all other tasks; a second signal ends the process at once.
///
/// Returns: the value of a task<int>; else 0. 1 after an exception out of main (one line tells it),
///          when only tasks are left that wait for one another (who waits for what is printed), and
///          when tasks survive a stop (they are listed).
/// Errors:  a bad setting or no thread to be had is one line, and 1.
/// Requires: not called on a worker: inside a task that is a misuse.
/// Example: `int main() { return troupe::run(main_task); }`
template <class F, class... Args>
  requires(!std::same_as<std::remove_cvref_t<F>, runtime_config>)
int run(F&& f, Args&&... args) {
  return detail::run_with(runtime_config{}, std::forward<F>(f), std::forward<Args>(args)...);
}

/// The same with settings.
template <class F, class... Args>
int run(const runtime_config& config, F&& f, Args&&... args) {
  return detail::run_with(config, std::forward<F>(f), std::forward<Args>(args)...);
}

}  // namespace troupe::inline v0_1
