#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <unordered_map>

#include <troupe/task/executor.hpp>

namespace troupe {

namespace detail {
class task_core;
}

/// Stops every actor that lives on `exec`: the youngest first, each awaited before the next;
/// supervisors stop their children. A task of `exec` does it; asked to stop, it waits no more.
/// Returns: how many there are. Errors: std::bad_alloc. Threads: any.
std::size_t stop_all_actors(executor& exec);

/// Returns: of each actor of `exec` whose handler waits, that handler and the actor's name, at
/// about this moment. Errors: std::bad_alloc. Threads: any.
[[nodiscard]] std::unordered_map<const detail::task_core*, std::string> handlers_of_actors(
    const executor& exec);

/// Calls `act` with every task that waits for its turn in an actor's own queue.
/// Requires: the workers of `exec` have stopped.
void take_back_actor_tasks(const executor& exec, const std::function<void(job&)>& act);

/// Marks an actor whose turn was taken back from a queue as one that nobody will schedule. Returns:
/// false when that job is none of an actor. Requires: the workers of its executor have stopped.
bool retire_actor(job& turn) noexcept;
/// The same for all that wait: wakers miss them from here on. Returns: false when one is left that
/// a thread is about to schedule.
[[nodiscard]] bool retire_waiting_actors(const executor& exec) noexcept;

/// Forgets the names of all actors of `exec`.
void forget_names(const executor& exec) noexcept;

/// Ends every actor that gets no turn any more: its mail is undelivered, its state is destroyed,
/// none of its functions run. Requires: all of them are retired, the tasks of `exec` are gone.
void abandon_all_actors(const executor& exec) noexcept;

}  // namespace troupe
