#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include <troupe/observe/snapshot.hpp>
#include <troupe/runtime/config.hpp>
#include <troupe/sched/block_on.hpp>
#include <troupe/sched/counters.hpp>
#include <troupe/sched/scheduler.hpp>
#include <troupe/task/spawn.hpp>

namespace troupe::inline v0_1 {

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
  template <class F>
  auto block_on(F&& f, std::source_location where = std::source_location::current()) {
    return troupe::block_on(scheduler(), std::forward<F>(f), where);
  }
  template <class F, detail::not_a_location A, class... Args>
  auto block_on(F&& f, A&& a, Args&&... args) {
    return troupe::block_on(scheduler(), std::forward<F>(f), std::forward<A>(a),
                            std::forward<Args>(args)...);
  }

  // --- for a host that owns the loop: runtime_config::caller_driven ---

  /// Runs what is ready, on the calling thread, without waiting: at most `max_turns` turns.
  ///
  /// Returns: how many turns it has run; below `max_turns` nothing is ready any more.
  /// Requires: a caller-driven runtime; no other thread is in here; not inside a task.
  /// Example:
  ///     runtime_config config;
  ///     config.caller_driven = true;
  ///     runtime rt{config};
  ///     host_loop.watch(rt.descriptor(), [&] { while (rt.poll() != 0) {} });
  std::size_t poll(std::size_t max_turns = 1024) {
    return poll_for(std::chrono::nanoseconds::zero(), max_turns);
  }
  /// The same; with nothing ready it first waits up to `max_wait` for something.
  std::size_t poll_for(std::chrono::nanoseconds max_wait, std::size_t max_turns = 1024);
  /// Returns: a descriptor that is readable when poll() has something to do, timers left out; -1
  /// without a network. What is made by net::use_task is looked at by polls alone.
  [[nodiscard]] int descriptor() const noexcept { return scheduler().io().descriptor(); }
  /// Returns: how long the host may sleep, for what timers want: the next one is not due before,
  /// and one that is far away has the host look in between. None without timers.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> time_to_next_timer() const;

  /// Stops gracefully: no new connections are accepted; actors are stopped, the youngest first;
  /// tasks get four fifths of `budget` to end by themselves, are then asked to stop, and those that
  /// are left at its end are reported.
  /// Returns: the survivors, blocking work among them, which the end of this object waits for; none
  ///          after a clean stop. What is suspended is destroyed then, unless
  ///          a survivor holds its worker: then nothing is ever destroyed, and that thread goes on.
  std::vector<task_report> shut_down(std::chrono::nanoseconds budget);

  /// Stops at once, as the end of this object does, which then only frees what is left. Harmless
  /// when it has stopped. Requires: as shut_down().
  void stop_now() noexcept;

  /// Returns: every task that has not ended, and what it waits for.
  [[nodiscard]] std::vector<task_report> tasks() const { return tasks_of(scheduler()); }
  /// Returns: every actor that has not ended.
  [[nodiscard]] std::vector<actor_report> actors() const { return actors_of(scheduler()); }
  /// Returns: workers, actors, tasks, and who waits for whom, as text. See troupe::dump.
  [[nodiscard]] std::string dump() const { return troupe::dump(scheduler()); }

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
  // For run(), which owns the signals of the process.
  struct whole_program {};
  runtime(runtime_config config, whole_program);

  std::unique_ptr<state> state_;
};

}  // namespace troupe::inline v0_1
