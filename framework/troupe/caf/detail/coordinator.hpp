#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <caf/detail/thread_safe_actor_clock.hpp>
#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <troupe/base/cache_line.hpp>
#include <troupe/caf/detail/neighbours.hpp>
#include <troupe/caf/detail/stall_watch.hpp>
#include <troupe/caf/detail/substitute.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/condition.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/sched/resident.hpp>
#include <troupe/sched/scheduler.hpp>

namespace troupe::inline v0_1::detail {

class caf_coordinator;

/// One turn of something that CAF wants to run: CAF's resumables have no link of their own.
struct caf_job final : job {
  caf_job(caf_coordinator& to, ::caf::resumable& whom) noexcept;
  caf_coordinator& owner;
  ::caf::resumable* what;  // One reference.

  static void run_turn(job& self) noexcept;
};

/// What one thread needs to run CAF's jobs.
class alignas(cache_line_bytes) caf_unit final : public ::caf::execution_unit {
public:
  explicit caf_unit(caf_coordinator& owner);
  ~caf_unit() override;
  void exec_later(::caf::resumable* ready) override;

  /// Of this unit's thread. Errors: std::bad_alloc.
  [[nodiscard]] caf_job& new_job(::caf::resumable& what);
  void free_job(caf_job& done) noexcept;

  /// Counts that this thread alone writes: of jobs queued, and of jobs done.
  void count_begun() noexcept { begun_.store(begun() + 1, std::memory_order_release); }
  void count_ended() noexcept { ended_.store(ended() + 1, std::memory_order_release); }
  [[nodiscard]] std::uint64_t begun() const noexcept {
    return begun_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::uint64_t ended() const noexcept {
    return ended_.load(std::memory_order_acquire);
  }

private:
  caf_coordinator& owner_;
  job* spare_ = nullptr;  // Memory for jobs.
  std::size_t spare_count_ = 0;
  pal::atomic<std::uint64_t> begun_{0};
  pal::atomic<std::uint64_t> ended_{0};
};

/// CAF's scheduler, whose workers are those of a troupe scheduler.
///
///   home_      the scheduler; null: its workers have ended, and a substitute runs the jobs
///   outside_   threads other than its workers that use home_ at this moment
///   stopping_  jobs are cleaned up in place of being run          stop()
///
///   R1. Who is no worker counts itself in outside_, and reads home_ then; workers_ended() writes
///       home_, and waits for outside_ to be 0 then. So nobody uses a scheduler that is gone.
///   R2. A job counts as begun before it is queued, and as ended after its last turn. Who sums up
///       what has ended first, and what has begun then, and finds them equal, has seen a moment
///       without jobs.
///   R3. A worker counts a job as ended and reads stopping_; stop() writes stopping_, runs the
///   heavy
///       barrier and sums up. So it sees that end, or is told of it.
///   R4. What a worker does with this object after it has counted an end, it does in the same turn.
///       drain() visits all workers after the last job: those turns are over then.
class caf_coordinator final : public ::caf::scheduler::abstract_coordinator, private resident {
public:
  /// Requires: the calling thread is a worker of `home`.
  caf_coordinator(::caf::actor_system& system, troupe::scheduler& home);
  ~caf_coordinator() override;

  void init(::caf::actor_system_config& config) override;
  void start() override;
  void stop() override;
  void enqueue(::caf::resumable* ready) override;
  ::caf::actor_clock& clock() noexcept override { return clock_; }

  [[nodiscard]] const std::shared_ptr<caf_neighbours>& neighbours() const noexcept {
    return neighbours_;
  }
  /// The end is on its way: the system does not outlive its runtime by mistake.
  void announce_end() noexcept { is_ending_.store(true, std::memory_order_relaxed); }
  /// Ends all that ties actors of both systems together.
  void part();

  /// Blocks until all CAF actors have ended that ~actor_system waits for, or the workers have.
  void await_actors();

private:
  friend struct caf_job;

  // Tells a worker's thread to forget the system's logger, and that its former turn is over.
  struct visit final : job {
    explicit visit(caf_coordinator& by) noexcept;
    caf_coordinator& owner;
    bool is_done = true;  // Under mutex_.
  };
  class stay_outside;

  void workers_ended() noexcept override;
  bool took_back(job& left) noexcept override;
  void scheduler_ended() noexcept override;

  void enqueue_from_outside(::caf::resumable& ready);
  void run(caf_job& turn) noexcept;
  void run_on(caf_unit& here, caf_job& turn) noexcept;
  [[nodiscard]] bool resume(caf_unit& here, ::caf::resumable& what) noexcept;
  void queue_again(caf_job& turn) noexcept;
  void drain();
  void visit_workers();
  void finish(visit& done) noexcept;
  [[nodiscard]] bool nothing_in_flight() const noexcept;
  [[nodiscard]] std::optional<std::uint64_t> turns_while_jobs_wait();
  void release_waiter() noexcept;

  pal::atomic<troupe::scheduler*> home_;         // R1
  pal::atomic<std::size_t> outside_{0};          // R1
  pal::atomic<std::uint64_t> begun_outside_{0};  // R2
  pal::atomic<bool> stopping_{false};            // R3
  bool has_started_ = false;
  pal::atomic<bool> is_ending_{false};
  std::size_t budget_;                            // Messages that an actor may handle in a turn.
  std::vector<std::unique_ptr<caf_unit>> units_;  // One for each worker, the last for others.
  std::vector<std::unique_ptr<visit>> visits_;
  std::shared_ptr<caf_neighbours> neighbours_ = std::make_shared<caf_neighbours>();

  pal::mutex mutex_;
  pal::condition changed_;
  bool is_awaiting_ = false;     // Somebody is in await_actors(). Under mutex_.
  std::ptrdiff_t borrowed_ = 0;  // What release_waiter() has added to CAF's count. Under mutex_.

  std::optional<substitute> substitute_;  // Made by workers_ended().
  std::optional<stall_watch> stalls_;     // All the time, but in the constructor.
  ::caf::detail::thread_safe_actor_clock clock_;
  pal::thread clock_thread_;
};

}  // namespace troupe::inline v0_1::detail
