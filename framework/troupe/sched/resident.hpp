#pragma once

#include <troupe/base/intrusive_list.hpp>
#include <troupe/task/job.hpp>

namespace troupe::inline v0_1 {

class scheduler;

/// Something from outside of troupe that queues jobs of its own on the workers of a scheduler, and
/// has to know when there are none any more. From settle() until leave() it is a guard: its runtime
/// does not count as quiescent.
///
///   R1. One lock for all residents guards who is settled where; the three calls come under it.
///       They must not settle or leave.
///   R2. After workers_ended() its jobs come back by took_back(), until scheduler_ended().
class resident : public list_link {
public:
  resident(const resident&) = delete;
  resident& operator=(const resident&) = delete;

  /// Requires: it is settled nowhere, and the scheduler has not begun to end.
  void settle(scheduler& where) noexcept;
  /// Harmless when it has left, or its scheduler has ended. Requires: none of its jobs is queued.
  void leave() noexcept;

protected:
  resident() = default;
  ~resident() = default;

private:
  friend class scheduler;

  /// All worker threads have ended. It returns when no thread is on its way to queue a job there.
  virtual void workers_ended() noexcept = 0;
  /// A queued job is not going to run there. Returns: false when it is none of its own.
  virtual bool took_back(job& left) noexcept = 0;
  /// The scheduler is about to be gone, and the resident is not settled any more.
  virtual void scheduler_ended() noexcept = 0;

  scheduler* home_ = nullptr;  // R1
};

}  // namespace troupe::inline v0_1
