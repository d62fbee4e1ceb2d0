#pragma once

#include <troupe/pal/clock.hpp>
#include <troupe/task/job.hpp>

namespace troupe::inline v0_1 {

/// Where jobs run: what the task layer knows of a scheduler.
///
/// Threads: every function may be called by any thread.
class executor {
public:
  /// Queues a job that was just woken: on a worker it goes to the hand-off slot and runs next.
  /// Requires: the job stands in no queue. It may run, and be gone, before this returns.
  virtual void schedule(job& ready) noexcept = 0;

  /// Queues a job behind all that is ready on this worker: new tasks, and those that yield.
  virtual void schedule_back(job& ready) noexcept = 0;

  /// Counts a task that was spawned by a thread that is no worker of this executor.
  virtual void count_foreign_spawn() noexcept = 0;

  /// The clock that deadlines on this executor are measured with.
  [[nodiscard]] virtual pal::clock& clock() const noexcept = 0;

protected:
  ~executor() = default;
};

}  // namespace troupe::inline v0_1
