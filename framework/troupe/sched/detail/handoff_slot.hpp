#pragma once

#include <utility>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/barrier.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/task/job.hpp>

namespace troupe::inline v0_1::detail {

/// The job woken last on a worker, which runs next: its data is still in the cache.
///
/// Plain loads and stores for the owner; a thief pays for both with a heavy barrier, and comes only
/// when the same job has been lying here for two looks in a row.
///
///   slot_     the job, or null                     owner; stale while `stolen_` names it
///   frozen_   a theft is under way or unsettled    thief -> true; thief (nothing taken) or the
///                                                  owner's settling -> false
///   stolen_   what the thief took, under mutex_    thief -> job; owner's settling -> null
///
///   R1. put() and take() are the owner's; steal() is anyone's.
///   R2. The owner writes slot_, runs the light barrier and reads frozen_; a thief writes frozen_,
///       runs the heavy barrier and reads slot_. So either the owner sees the freeze and settles
///       under the mutex, or the thief sees what the owner wrote.
///   R3. A thief never writes slot_. What it took stays there, stale, until the owner's next step,
///       which settles; until then no other theft begins.
class handoff_slot {
public:
  /// Puts `fresh` in. Returns: the job that lay there before, now the caller's; or null. R1
  [[nodiscard]] job* put(job& fresh) noexcept {
    job* before = slot_.load(std::memory_order_relaxed);
    slot_.store(&fresh, std::memory_order_release);  // -> steal
    pal::light_barrier();                            // R2
    if (frozen_.load(std::memory_order_relaxed)) settle(before, &fresh);
    return before;
  }

  /// Takes the job out; null when there is none. R1
  [[nodiscard]] job* take() noexcept {
    job* found = slot_.load(std::memory_order_relaxed);
    if (found == nullptr) return nullptr;
    slot_.store(nullptr, std::memory_order_relaxed);
    pal::light_barrier();  // R2
    if (frozen_.load(std::memory_order_relaxed)) settle(found, nullptr);
    return found;
  }

  /// What lies there at this moment; only good to be compared. Threads: any.
  [[nodiscard]] const job* look() const noexcept { return slot_.load(std::memory_order_relaxed); }

  /// Takes `seen` if it still lies there. Threads: any.
  [[nodiscard]] job* steal(const job* seen) noexcept {
    pal::lock guard{mutex_};
    if (stolen_ != nullptr) return nullptr;  // R3
    frozen_.store(true, std::memory_order_relaxed);
    pal::heavy_barrier();                                // R2
    job* found = slot_.load(std::memory_order_acquire);  // <- put
    if (found == nullptr || found != seen) {
      frozen_.store(false, std::memory_order_relaxed);
      return nullptr;
    }
    return stolen_ = found;
  }

private:
  // Settles a theft: `mine` becomes null if the thief has it; else `fresh`, if it has that.
  void settle(job*& mine, job* fresh) noexcept {
    pal::lock guard{mutex_};
    if (stolen_ != nullptr) {
      if (stolen_ == mine) {
        mine = nullptr;
      } else if (stolen_ == fresh) {
        slot_.store(nullptr, std::memory_order_relaxed);
      }
      stolen_ = nullptr;
    }
    frozen_.store(false, std::memory_order_relaxed);
  }

  pal::atomic<job*> slot_{nullptr};
  pal::atomic<bool> frozen_{false};
  pal::mutex mutex_;
  job* stolen_ = nullptr;
};

}  // namespace troupe::inline v0_1::detail
