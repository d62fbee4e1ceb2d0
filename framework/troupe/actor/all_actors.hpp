#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include <troupe/actor/actor_id.hpp>
#include <troupe/task/executor.hpp>

namespace troupe::inline v0_1 {

namespace detail {
class actor_block;
}

/// Stops every actor that lives on `exec`: the youngest first, each awaited before the next;
/// supervisors stop their children. A task of `exec` does it; asked to stop, it waits no more.
/// Returns: how many there are. Errors: std::bad_alloc. Threads: any.
std::size_t stop_all_actors(executor& exec);

/// What can be seen of an actor from outside, at about some moment.
struct actor_sight {
  detail::actor_block* block = nullptr;  ///< Which one it is; to be compared, not to be used.
  std::string name;                      ///< Its own, or its class.
  const char* class_name = nullptr;
  std::size_t mail = 0;             ///< Places of its mailbox that are taken.
  std::size_t capacity = 0;         ///< 0: without a bound.
  const char* handles = nullptr;    ///< The message of a handler that waits; null for none.
  const char* waits_for = nullptr;  ///< What that waits for.
  std::source_location waits_at;
  detail::actor_block* awaits = nullptr;  ///< Who has to answer it, or make room; null for none.
};

/// Returns: every actor of `exec` that has not ended. Errors: std::bad_alloc. Threads: any.
[[nodiscard]] std::vector<actor_sight> look_at_actors(const executor& exec);

/// Returns: the name of one that somebody has seen; "?" when it is gone. Errors: std::bad_alloc.
/// Threads: any.
[[nodiscard]] std::string name_of_actor(detail::actor_block& seen);

/// Whose turn a job is.
struct actor_turn {
  detail::actor_block* block = nullptr;  ///< For name_of_actor().
  actor_id id;
  const char* class_name = nullptr;
};
/// Returns: none when the job is none of an actor. Requires: it stands in a queue.
[[nodiscard]] std::optional<actor_turn> turn_of_actor(job& queued) noexcept;

/// Has an actor fail with `error` as if a handler of it had thrown that, when it has come to this
/// in its mail. Returns: false when it takes no mail any more. Errors: std::bad_alloc. Threads:
/// any.
bool crash_actor(detail::actor_block& seen, std::exception_ptr error);

/// Calls `act` with every task that waits for its turn in an actor's own queue.
/// Requires: the workers of `exec` have stopped.
void take_back_actor_tasks(const executor& exec, const std::function<void(job&)>& act);

/// Marks an actor whose turn was taken back from a queue as one that nobody will schedule. Returns:
/// false when that job is none of an actor. Requires: the workers of its executor have stopped.
bool retire_actor(job& turn) noexcept;
/// The same for all that wait: wakers miss them from here on. Returns: false when one is left that
/// a thread is about to schedule.
[[nodiscard]] bool retire_waiting_actors(const executor& exec) noexcept;

/// From here on new actors of the calling thread lie in memory in the order of their birth; see
/// slab::put_in_order(). Errors: std::bad_alloc.
void put_actors_in_order();

/// Forgets the names of all actors of `exec`.
void forget_names(const executor& exec) noexcept;

/// Ends every actor that gets no turn any more: its mail is undelivered, its state is destroyed,
/// none of its functions run. Requires: all of them are retired, the tasks of `exec` are gone.
void abandon_all_actors(const executor& exec) noexcept;

}  // namespace troupe::inline v0_1
