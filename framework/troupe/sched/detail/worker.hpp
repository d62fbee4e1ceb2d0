#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <troupe/pal/parker.hpp>
#include <troupe/pal/random.hpp>
#include <troupe/pal/thread.hpp>
#include <troupe/sched/counters.hpp>
#include <troupe/sched/detail/handoff_slot.hpp>
#include <troupe/sched/detail/idle_set.hpp>
#include <troupe/sched/detail/inject_queue.hpp>
#include <troupe/sched/detail/run_queue.hpp>
#include <troupe/sched/detail/timer_wheel.hpp>
#include <troupe/sched/worker_sight.hpp>
#include <troupe/task/context.hpp>

namespace troupe::inline v0_1 {
class scheduler;
class alarms;
}  // namespace troupe::inline v0_1

namespace troupe::inline v0_1::detail {

/// One thread that runs jobs: its queue, its slot, its timers, and what it does when it has
/// nothing.
class worker final : public context {
public:
  worker(scheduler& owner, std::size_t index, std::uint64_t seed);

  /// The thread's body: runs jobs until the scheduler stops.
  void run();

  // --- for a worker that no thread belongs to, on whatever thread ---

  /// Runs what is ready, `most` turns at most, and what timers and the driver bring. Returns: the
  /// turns it has run; with less than `most` nothing is ready now.
  std::size_t run_ready(std::size_t most);
  /// Waits for something to run, until `until`. Requires: the last run_ready() found nothing more.
  void wait_for_work(std::optional<time_point> until);

  // --- on the worker's own thread ---

  void hand_off(job& ready) noexcept;
  void push_back(job& ready) noexcept;
  /// Called when a timer that is the earliest here was armed.
  void on_earlier_timer() noexcept { watch_if_unwatched(); }
  [[nodiscard]] timer_wheel& wheel() noexcept { return wheel_; }
  /// Returns: how many timers the queue has room for now.
  [[nodiscard]] std::uint32_t room_for_timers() const noexcept;
  [[nodiscard]] scheduler& owner() const noexcept { return owner_; }
  [[nodiscard]] std::size_t index() const noexcept { return index_; }
  [[nodiscard]] alarms& alarm_list() const noexcept { return alarms_; }
  /// For what it runs; begun with the seed, else with a number of the system.
  [[nodiscard]] pal::random& numbers() noexcept { return numbers_; }

  // --- from any thread ---

  /// Wakes the worker after it was picked from the idle set, or when it has to stop.
  void unpark() noexcept;
  /// Queues a job that only this worker may run.
  void post(job& pinned) noexcept;
  /// Called under the idle set's lock, by the one who picks this worker.
  void set_wake_reason(wake_reason reason) noexcept { wake_reason_ = reason; }
  /// Returns: true when a job lies in the worker's queue, in its slot, or was posted to it.
  [[nodiscard]] bool has_work() const noexcept;
  void add_to(scheduler_counters& sum) const noexcept;
  [[nodiscard]] worker_sight look() const noexcept;

  /// Takes a job that will not run. Returns: null when there is none. Requires: the thread has
  /// ended.
  [[nodiscard]] job* take_back() noexcept;

private:
  // What a watcher or a thief saw of another worker.
  struct sight {
    std::uint64_t turns = 0;
    const job* slot = nullptr;
    bool queued = false;
    bool half_is_due = false;  // What to take; a watcher, when it has left the idle set.
    bool slot_is_due = false;
  };

  // Turns from this length on are worth it for each job that lies behind them.
  static constexpr duration coarse_turn = std::chrono::microseconds{20};

  void begin_running() noexcept;
  void end_running() noexcept;
  [[nodiscard]] job* next_of_all() noexcept;
  void run_turn(job& next) noexcept;
  [[nodiscard]] job* next_job() noexcept;
  [[nodiscard]] job* next_seeded() noexcept;
  // Out of line: its array is large, and it is called rarely.
  [[nodiscard, gnu::noinline]] job* take_injected(std::uint32_t least) noexcept;
  void run_posted() noexcept;
  void overflow(job& ready) noexcept;
  void push_quietly(job& ready) noexcept;
  void on_push() noexcept;
  void watch_if_unwatched() noexcept;

  void maintain() noexcept;
  void restart_measure() noexcept;
  void poll_driver() noexcept;
  [[nodiscard]] std::uint32_t room_for(std::uint32_t least) const noexcept;

  [[nodiscard]] bool go_idle();
  void find_work();
  [[nodiscard]] bool steal_from_all() noexcept;
  [[nodiscard]] std::size_t steal_half(worker& victim) noexcept;
  void search() noexcept;

  void pass_call_on() noexcept;
  [[nodiscard]] bool take_call_to_watch() noexcept;
  void park();
  bool look_if_all_idle(const idle_set::entry& seen);
  bool sleep(bool watching, bool adopt_driver);
  void wait_in_driver(std::optional<time_point> until);
  [[nodiscard]] bool look_at_others(bool& anything_queued) noexcept;
  [[nodiscard]] bool look_again(worker& other, sight& seen) noexcept;
  bool take_what_is_due() noexcept;
  [[nodiscard]] bool give_up_watching() noexcept;

  [[nodiscard]] std::uint64_t turn_count() const noexcept { return turns_.value(); }
  [[nodiscard]] bool is_coarse() const noexcept { return coarse_.load(std::memory_order_relaxed); }

  scheduler& owner_;
  alarms& alarms_;
  const std::size_t index_;
  handoff_slot slot_;
  run_queue queue_;
  timer_wheel wheel_;
  pal::random random_;
  pal::random numbers_;

  // Of this thread alone.
  std::uint32_t tick_ = 0;      // Turns, for the jobs from outside.
  std::uint32_t handoffs_ = 0;  // Turns in a row from the slot.
  std::uint32_t turns_to_measure_ = 1;
  std::uint32_t turns_measured_ = 1;
  time_point measured_at_{};
  time_point polled_at_{};
  std::vector<sight> sights_;

  // Read by others.
  pal::atomic<bool> coarse_;  // The mean turn is worth a wake-up of another worker.
  pal::atomic<bool> in_driver_{false};
  wake_reason wake_reason_ = wake_reason::work;  // While in the idle set: others write it.
  pal::parker parker_;
  inject_queue posted_;

  shown<pal::thread_id> thread_{pal::thread_id{}};  // Set while it runs.
  local_counter turns_, stolen_, overflows_, parks_;
  pal::atomic<std::uint64_t> wakes_{0};
};

/// The worker whose thread this is. Requires: one of a scheduler's.
inline worker& current_worker() noexcept { return *static_cast<worker*>(current_context()); }

}  // namespace troupe::inline v0_1::detail
