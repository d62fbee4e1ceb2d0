#pragma once

#include <chrono>
#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include <troupe/runtime/config.hpp>
#include <troupe/sched/block_on.hpp>
#include <troupe/sched/counters.hpp>
#include <troupe/sched/scheduler.hpp>
#include <troupe/task/spawn.hpp>

namespace troupe {

/// One task, as it is seen from outside: for lists of survivors and of who waits for what.
struct task_report {
  std::string actor;       ///< The name of the actor whose handler it is; empty for other tasks.
  std::string spawned_at;  ///< file:line, or "?" where it was not recorded.
  std::string waits_for;   ///< What it awaits; "nothing: it is running or ready" otherwise.
  std::string waits_at;    ///< file:line of that await; empty when it has never waited.
  bool suspended = false;
};

/// Returns: the report as one line.
[[nodiscard]] std::string to_string(const task_report& report);

/// Workers, timers, sockets and a pool for blocking work, for as long as the object lives.
///
/// A program that is one service calls run() instead; a runtime object is for programs that bring a
/// main loop of their own, and for tests. Several can live in one process.
/// Threads: all functions may be called by foreign threads; none by a task of this runtime.
/// Example:
///     runtime rt;
///     int n = rt.block_on([]() -> task<int> { co_return 42; });
class runtime {
public:
  /// Starts the workers. Errors: std::invalid_argument for a bad setting, std::system_error when a
  /// thread or a descriptor cannot be made.
  explicit runtime(runtime_config config = {});

  /// Stops at once: no task gets another turn, suspended ones are destroyed. For a graceful end
  /// call shut_down() first.
  ~runtime();

  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  /// Starts a task from outside. See troupe::spawn.
  template <class F>
  auto spawn(F&& f, std::source_location where = std::source_location::current()) {
    return spawn_at(where, std::forward<F>(f));
  }
  /// With arguments the place of the call is not recorded.
  template <class F, detail::not_a_location A, detail::not_a_location... Rest>
  auto spawn(F&& f, A&& a, Rest&&... rest) {
    return spawn_at(std::source_location{}, std::forward<F>(f), std::forward<A>(a),
                    std::forward<Rest>(rest)...);
  }

  /// Runs a task and blocks the calling thread until it has ended. See troupe::block_on.
  template <class F, class... Args>
  auto block_on(F&& f, Args&&... args) {
    return troupe::block_on(scheduler(), std::forward<F>(f), std::forward<Args>(args)...);
  }

  /// Stops gracefully: no new connections are accepted; actors are stopped, the youngest first;
  /// tasks get four fifths of `budget` to end by themselves, are then asked to stop, and those that
  /// are left at its end are reported.
  /// Returns: the survivors; none after a clean stop. What is suspended is destroyed then, unless
  ///          a survivor holds its worker: then nothing is ever destroyed, and that thread goes on.
  std::vector<task_report> shut_down(std::chrono::nanoseconds budget);

  /// Returns: every task that has not ended, and what it waits for.
  [[nodiscard]] std::vector<task_report> tasks() const;

  [[nodiscard]] scheduler_counters counters() const noexcept { return scheduler().counters(); }
  [[nodiscard]] troupe::scheduler& scheduler() const noexcept;

private:
  friend class main_run;

  template <class F, class... Args>
  auto spawn_at(std::source_location where, F&& f, Args&&... args) {
    return join_handle<detail::spawned_value<F, Args...>>{detail::start_on(
        scheduler(), nullptr, where, std::forward<F>(f), std::forward<Args>(args)...)};
  }

  class state;
  std::unique_ptr<state> state_;
};

}  // namespace troupe
