#pragma once

#include <memory>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <troupe/caf/neighbours.hpp>
#include <troupe/task/task.hpp>

namespace troupe::inline v0_1 {

/// A CAF actor system whose actors run on the workers of the current runtime: event-based actors,
/// brokers' work and all else that CAF gives to its scheduler. CAF's clock (delayed messages,
/// time limits; real time, whatever clock the runtime has), its printer, its middleman and detached
/// or blocking actors have threads of their own, as ever. Several systems may share a runtime.
///
/// While one exists its runtime does not count as quiescent: run() does not return, and does not
/// see that tasks wait for one another. In the turn of a CAF actor there is neither a current task
/// nor a current actor; spawn(), ref::try_send() and the like work.
///
/// Bounds:  a CAF actor gives way after about 1 ms; it looks at the clock at every 100 messages, or
///          every scheduler.max-throughput of them where that is less. Other settings of CAF's
///          scheduler have no effect.
/// Threads: a thread that has used the system (spawned, or had a scoped_actor or a function_view)
///          keeps it from ending until it ends itself, or calls
///          `caf::logger::set_current_actor_system(nullptr)`. Workers and the threads of
///          spawn_blocking() are seen to. A scoped_actor that waits holds its worker, and on the
///          only one waits for ever: use it in spawn_blocking(). One line tells after a second in
///          which CAF actors have waited for workers that were all held so.
/// Example:
///     auto config = std::make_unique<caf::actor_system_config>();
///     caf_system system{std::move(config)};
///     system->spawn(printer);
///     co_await system.shut_down();
class caf_system {
public:
  /// Starts the system. Adds nothing to `config` that stays, so that it may serve for another.
  /// Requires: a worker; outside a runtime it is a misuse. `config` outlives the system's end: that
  ///           is the end of shut_down(), or of the runtime where shut_down() was not awaited.
  /// Errors:   what the constructor of actor_system throws.
  explicit caf_system(::caf::actor_system_config& config);
  /// The same with a configuration that ends with the system.
  explicit caf_system(std::unique_ptr<::caf::actor_system_config> config);

  caf_system(const caf_system&) = delete;
  caf_system& operator=(const caf_system&) = delete;

  /// Without shut_down() hands the end over to the blocking pool, and never holds up a worker; the
  /// runtime does not end before it. On other threads it blocks until the end.
  /// When the workers have ended, by ~runtime or at the end of the budget of a stop, CAF's actors
  /// are waited for no more; what they had in their mailboxes is bounced. A system that outlives
  /// its runtime is reported by one line, and goes on with one thread.
  ~caf_system();

  /// Waits until all CAF actors have ended, unless the system is told not to by
  /// await_actors_before_shutdown(false), and then ends the system, like ~actor_system.
  /// Requires: not called before. No handle to a CAF actor is used after it.
  /// Cancel:   the end goes on without the caller.
  [[nodiscard]] task<> shut_down();

  /// Requires: shut_down() has not ended; else a misuse.
  [[nodiscard]] ::caf::actor_system& operator*() const noexcept;
  [[nodiscard]] ::caf::actor_system* operator->() const noexcept { return &**this; }

private:
  std::shared_ptr<::caf::actor_system_config> config_;  // Null where it is the caller's.
  ::caf::actor_system* system_;                         // Its end frees it: null after shut_down().
  bool is_ending_ = false;
};

}  // namespace troupe::inline v0_1
