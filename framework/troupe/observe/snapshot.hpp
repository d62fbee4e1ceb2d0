#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <troupe/sched/scheduler.hpp>
#include <troupe/task/core.hpp>

namespace troupe::inline v0_1 {

/// One task, as it is seen from outside: for lists of survivors and of who waits for what.
struct task_report {
  std::string actor;       ///< The name of the actor it works for; empty for other tasks.
  std::string handles;     ///< The message that it handles; empty for side tasks and other tasks.
  std::string spawned_at;  ///< file:line, or "?" where it was not recorded.
  std::string waits_for;   ///< What it awaits; "nothing: it is running or ready" otherwise.
  std::string waits_at;    ///< file:line of that await; empty when it has never waited.
  std::string awaits;      ///< The name of the actor that has to answer, or to make room.
  bool suspended = false;
};

/// Returns: the report as one line.
[[nodiscard]] std::string to_string(const task_report& report);

/// One actor, as it is seen from outside.
struct actor_report {
  std::string name;  ///< Its own, or its class.
  std::string class_name;
  std::size_t mail = 0;  ///< Places of its mailbox that are taken; begun messages give theirs back
                         ///< in batches.
  std::size_t capacity = 0;  ///< Of its mailbox; 0: without a bound, and then nothing is counted.
  std::string handles;       ///< The message whose handler waits; empty when none does.
  std::string waits_for;     ///< What that handler awaits.
  std::string waits_at;      ///< file:line of that await.
  std::string awaits;        ///< The name of the actor that has to answer it, or to make room.
};

/// Returns: the report as one line.
[[nodiscard]] std::string to_string(const actor_report& report);

/// What a worker does, in words: "in on(add) of actor counter", "idle".
[[nodiscard]] std::string to_string(const worker_sight& seen);

/// Returns: every task of `exec` that has not ended, and what it waits for; handlers and side tasks
/// of actors among them. Each line is true of about the same moment. Threads: any.
/// Errors: std::bad_alloc.
[[nodiscard]] std::vector<task_report> tasks_of(const executor& exec);

/// Returns: those of `of`, and its blocking work that runs or waits for a thread: whatever a stop
/// has to wait for. Threads: any. Errors: std::bad_alloc.
[[nodiscard]] std::vector<task_report> survivors_of(const scheduler& of);

/// The same of actors.
[[nodiscard]] std::vector<actor_report> actors_of(const executor& exec);

/// Returns: all of it as text: workers, actors, tasks, and who waits for whom, cycles marked.
/// Threads: any; it stops nobody, so a line may be out of date when it is read.
/// Errors:  std::bad_alloc.
/// Bounds:  looks at every task and actor of the process.
/// Example: `fmt::print("{}", troupe::dump(runtime.scheduler()));`
[[nodiscard]] std::string dump(const scheduler& of);

}  // namespace troupe::inline v0_1
