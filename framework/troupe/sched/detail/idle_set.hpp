#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/mutex.hpp>

namespace troupe::inline v0_1::detail {

class worker;

/// Why an idle worker was woken.
enum class wake_reason : unsigned char { work, search, watch };

/// The workers that have nothing to do, and who of them searches and watches.
///
///   idle_count_   workers in sleepers_                            enter, leave, pick
///   searching_    workers woken to steal that have found nothing  pick_thief, end_search
///   watched_      an idle worker looks at the others from time to time (see worker::park)
///
///   R1. A worker is in sleepers_ from enter() to its own leave() or to the pick that wakes it; a
///       pick belongs to one caller.
///   R2. A job injected from outside is counted before idle_count() is read; a worker enters before
///       it looks for injected jobs a last time. One of the two sees the other.
///   R3. A worker in sleepers_ takes no job out of any queue: it leaves first. What timers and the
///       driver give it meanwhile lies in its own queue or slot until it has left. So if all are
///       idle, none has work, and none has departed since, nothing runs anywhere.
///   R4. Who has queued a job, or armed a timer, runs the light barrier and then reads watched_; a
///       watcher that gives up clears watched_, runs the heavy barrier and looks once more. One of
///       the two sees the other.
///   R5. Who comes out of the driver with nothing looks whether all are idle: what it was given
///       there may have been stolen, and have run, unseen by who went idle last.
///   R6. Who was woken for something and has something else to run first wakes another one for it.
/// Threads: any.
class idle_set {
public:
  explicit idle_set(std::size_t workers) { sleepers_.reserve(workers); }

  struct entry {
    std::size_t idle;          ///< How many are idle, the caller counted.
    std::uint64_t departures;  ///< How many times a worker has left or was picked. R3
  };
  entry enter(worker& self);

  /// Returns: the same for a caller who is not idle.
  [[nodiscard]] entry look() noexcept;

  /// Returns: false when the worker had been picked already.
  bool leave(worker& self) noexcept;

  [[nodiscard]] bool contains(const worker& self) noexcept;

  /// Takes a worker to wake, and tells it why; null when all are busy.
  [[nodiscard]] worker* pick(wake_reason reason) noexcept;

  /// Takes `wanted` to wake, if it is idle.
  [[nodiscard]] bool pick_this(worker& wanted, wake_reason reason) noexcept;

  /// Takes a worker to steal, unless one is searching already.
  [[nodiscard]] worker* pick_thief() noexcept;

  void end_search() noexcept { searching_.fetch_sub(1, std::memory_order_relaxed); }

  [[nodiscard]] std::size_t idle_count() const noexcept {
    return idle_count_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t idle_count_ordered() const noexcept {
    return idle_count_.load(std::memory_order_seq_cst);  // R2
  }

  [[nodiscard]] bool watched() const noexcept { return watched_.load(std::memory_order_relaxed); }

  /// Returns: true when the caller is the one that watches from now on.
  bool begin_watch() noexcept {
    return !watched() && !watched_.exchange(true, std::memory_order_relaxed);
  }
  void end_watch() noexcept { watched_.store(false, std::memory_order_relaxed); }

private:
  bool remove(worker& self) noexcept;  // Requires: the lock.

  pal::mutex mutex_;
  std::vector<worker*> sleepers_;
  std::uint64_t departures_ = 0;
  pal::atomic<std::size_t> idle_count_{0};
  pal::atomic<std::size_t> searching_{0};
  pal::atomic<bool> watched_{false};
};

}  // namespace troupe::inline v0_1::detail
