#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <troupe/pal/clock.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/pal/parker.hpp>
#include <troupe/pal/thread.hpp>
#include <troupe/sched/alarms.hpp>
#include <troupe/sched/counters.hpp>
#include <troupe/sched/detail/idle_set.hpp>
#include <troupe/sched/detail/inject_queue.hpp>
#include <troupe/sched/driver.hpp>
#include <troupe/sched/resident.hpp>
#include <troupe/sched/simulation.hpp>
#include <troupe/sched/worker_sight.hpp>
#include <troupe/task/executor.hpp>

namespace troupe::inline v0_1 {

class blocking_pool;
namespace detail {
class worker;
}

/// What a scheduler is built with.
struct scheduler_config {
  std::size_t workers = 1;                 ///< Threads that run jobs, 1 to 1024.
  bool caller_driven = false;              ///< None of its own: one worker, run by poll_for().
  pal::clock* clock = &pal::real_clock();  ///< Where time comes from; outlives the scheduler.
  std::unique_ptr<driver> io;              ///< What idle workers wait in; null: nothing but wakes.
  std::optional<std::uint64_t> seed;       ///< One worker only: chooses the next job by this seed.
  simulation* simulated = nullptr;  ///< The world that it is a part of; outlives the scheduler.
  std::size_t max_blocking_threads = 512;       ///< Limit of the blocking pool.
  duration deadline = std::chrono::seconds{5};  ///< Of requests that name none.
  std::string thread_name = "troupe";           ///< Workers are named troupe-0, troupe-1, ...
  bool pin_workers = false;                     ///< Each worker stays on one core.
  std::uint32_t budget = 128;                   ///< Operations of a turn that did not wait.
  std::uint16_t mailbox_capacity = 1024;        ///< Of actors that name none.
  /// Called on each worker's thread, with its index, before its first turn and after its last.
  std::function<void(std::size_t)> on_thread_start, on_thread_stop;

  /// Called when nothing runs, nothing is queued and nothing from outside can come: with the number
  /// of tasks that still exist, which then wait for one another. On a worker; must not block. When
  /// it is heard, things may have changed: tasks_if_quiescent() knows.
  std::function<void(std::size_t live_tasks)> on_quiescent = [](std::size_t) {};
};

/// Runs jobs on a few threads, cooperatively: each worker has a queue, idle ones steal.
///
/// Fine-grained work stays on the worker that made it, since moving it costs more than running it;
/// an idle worker is woken at each push only where the mean turn is 20 us or more, else at a
/// backlog of 16 jobs. One idle worker looks every 500 us whether something lies behind a long
/// turn.
///
/// Threads: all functions may be called by any thread.
class scheduler final : public executor {
public:
  /// Starts the workers. Errors: std::system_error when a thread cannot be made.
  explicit scheduler(scheduler_config config);

  /// Stops the workers after their current turns; what is queued then never runs.
  ~scheduler();

  scheduler(const scheduler&) = delete;
  scheduler& operator=(const scheduler&) = delete;

  void schedule(job& ready) noexcept override;
  void schedule_back(job& ready) noexcept override;
  void count_foreign_spawn() noexcept override;
  [[nodiscard]] pal::clock& clock() const noexcept override { return *config_.clock; }

  /// Ends the worker threads and waits for them; no job runs afterwards, new ones are dropped.
  /// Returns: false when a worker was still in a turn at `until`; its thread then goes on alone.
  bool stop_workers(std::optional<time_point> until = std::nullopt);

  /// For a scheduler that is caller_driven: runs what is ready, `most` turns at most; when nothing
  /// is, waits until `until` for something, and runs that. Returns: how many turns it has run.
  /// Requires: on no worker, and no other thread is in here; else a misuse.
  std::size_t poll_until(time_point until, std::size_t most);
  [[nodiscard]] bool is_caller_driven() const noexcept { return config_.caller_driven; }
  /// Returns: when the next timer is due; none without timers, and under a virtual clock.
  [[nodiscard]] std::optional<time_point> next_timer() const noexcept;
  /// Returns: a time before which no timer of its tasks is due, under whatever clock; none without
  ///          timers.
  [[nodiscard]] std::optional<time_point> next_due() const noexcept;

  /// Blocks while all workers are idle, until end_watch(). For one thread alone.
  void wait_while_idle() noexcept;
  /// Ends that, now and from now on. Threads: any.
  void end_watch() noexcept;
  /// Requires: `index` below worker_count(). Threads: any.
  [[nodiscard]] worker_sight look_at(std::size_t index) const noexcept;

  /// Keeps the scheduler, and its workers' contexts, while a thread that may be none of its workers
  /// uses them. Requires: made by one who has a job of it that is in no queue.
  class foreign_visit;

  /// Takes every queued job back, for one who settles what is left. Requires: no worker runs.
  void take_back_all(const std::function<void(job&)>& act);
  /// Waits until no foreign_visit is left. Requires: none comes in any more.
  void wait_for_foreign_threads() const noexcept;

  /// Keeps the runtime from counting as quiescent: something outside will still bring work.
  void add_guard() noexcept;
  void remove_guard() noexcept;

  [[nodiscard]] std::size_t worker_count() const noexcept { return workers_.size(); }
  [[nodiscard]] scheduler_counters counters() const noexcept;
  [[nodiscard]] std::size_t live_tasks() const noexcept;

  /// Returns: live_tasks(), if nothing runs, nothing is queued and nothing from outside can come at
  ///          this moment; else none, and config.on_quiescent will be called when it is so.
  [[nodiscard]] std::optional<std::size_t> tasks_if_quiescent() noexcept;
  /// The coarse time limits of its tasks.
  [[nodiscard]] alarms& alarm_list() noexcept { return alarms_; }
  /// To be called on a worker when an alarm was set while there were no sweeps.
  void begin_sweeps() noexcept;
  [[nodiscard]] driver& io() const noexcept { return *config_.io; }
  [[nodiscard]] std::uint16_t mailbox_capacity() const noexcept { return config_.mailbox_capacity; }
  [[nodiscard]] blocking_pool& blocking() const noexcept { return *blocking_; }
  /// The world that it is a part of; mostly null.
  [[nodiscard]] simulation* simulated() const noexcept { return config_.simulated; }

  /// Queues a job for one worker alone. Requires: `index` below worker_count().
  void post_to(std::size_t index, job& pinned) noexcept;

  /// The scheduler that the calling thread works for; null on other threads.
  [[nodiscard]] static scheduler* current() noexcept;
  /// The index of the worker that the calling thread is. Requires: current() is not null.
  [[nodiscard]] static std::size_t current_worker() noexcept;

private:
  friend class detail::worker;
  friend class resident;

  void tell_residents() noexcept;
  [[nodiscard]] bool give_to_resident(job& left) noexcept;
  void evict_residents() noexcept;

  void run_thread(std::size_t index);
  // Called by a worker that is not idle any more.
  void on_departure() noexcept {
    if (watch_sleeps_.load(std::memory_order_relaxed)) ring_watch();  // <- wait_while_idle
  }
  void ring_watch() noexcept;
  void inject(job& ready) noexcept;
  void wake_for(detail::wake_reason reason) noexcept;
  [[nodiscard]] bool stopping() const noexcept { return stopping_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::optional<time_point> earliest_timer() const noexcept;
  [[nodiscard]] std::optional<time_point> or_next_sweep(std::optional<time_point> timer,
                                                        std::size_t live) const noexcept;
  void advance_all(time_point now) noexcept;
  // What there is when all workers are idle.
  struct outlook {
    bool is_still = false;  // They have been idle, without any work, since the idle set was seen.
    bool blocking = false;
    bool guarded = false;
    bool io = false;
    std::optional<time_point> next;
    std::size_t live = 0;

    [[nodiscard]] bool is_quiescent() const noexcept {
      return is_still && !guarded && !io && !next;
    }
  };
  [[nodiscard]] outlook look_around(const detail::idle_set::entry& seen) noexcept;
  // Called by the last worker to go idle. Returns true when it made work, or may have.
  bool on_all_idle(const detail::idle_set::entry& entered);

  scheduler_config config_;
  // With more workers than cores an idle one takes the core from those it would help.
  const bool is_crowded_;
  // Short jobs in a queue from which on a thief is worth it.
  const std::uint32_t worthy_backlog_ = is_crowded_ ? UINT32_MAX : 16;
  // How often a watcher looks: with a core of its own, or as often as the system gives it a turn.
  const duration watch_interval_ = std::chrono::microseconds{is_crowded_ ? 4000 : 500};
  std::vector<std::unique_ptr<detail::worker>> workers_;
  detail::idle_set idle_;
  detail::inject_queue injected_;

  pal::mutex driver_mutex_;
  pal::atomic<std::uint64_t> driver_uses_{0};
  pal::atomic<duration::rep> driver_until_{duration::min().count()};

  // The watch: asleep while all workers are idle. It says so, and then looks at the idle set; a
  // worker leaves that set, under its lock, and then looks whether the watch sleeps.
  pal::atomic<bool> watch_sleeps_{false};
  pal::atomic<bool> watch_ended_{false};
  pal::parker watch_;

  pal::atomic<bool> polled_{false};  // A thread is in poll_until().
  alarms alarms_{config_.deadline};
  pal::atomic<bool> stopping_{false};
  pal::atomic<std::size_t> guards_{0};
  pal::atomic<std::uint64_t> foreign_spawned_{0};
  pal::atomic<std::size_t> foreign_visits_{0};
  pal::atomic<std::size_t> running_threads_{0};
  pal::parker thread_ended_;  // Of the thread in stop_workers().
  intrusive_list<resident> residents_;
  bool residents_know_ = false;  // That the workers have ended.
  std::unique_ptr<blocking_pool> blocking_;
  std::vector<pal::thread> threads_;
};

class scheduler::foreign_visit {
public:
  // Who takes the job back has it from this thread, or one after it: -> wait_for_foreign_threads.
  explicit foreign_visit(scheduler& where) noexcept : where_{where} {
    where_.foreign_visits_.fetch_add(1, std::memory_order_relaxed);
  }
  foreign_visit(foreign_visit&&) = delete;
  // The last that this thread does with the scheduler: -> wait_for_foreign_threads.
  ~foreign_visit() { where_.foreign_visits_.fetch_sub(1, std::memory_order_release); }

private:
  scheduler& where_;
};

}  // namespace troupe::inline v0_1
