#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <troupe/base/intrusive_list.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/sync/detail/claimed_tasks.hpp>
#include <troupe/task/core.hpp>
#include <troupe/task/waker.hpp>

namespace troupe::inline v0_1::detail {

/// One task's wait on an address; lives where the wait lives.
struct parked_waiter : list_link {
  const void* address = nullptr;
  waker key;
  bool was_woken = false;  ///< Taken off by a wake that succeeded; under the bucket's lock.
};

/// Where tasks wait for something that many may wait for: lists hashed by an address, so that the
/// thing itself (a channel, an event) spends one bit on its waiters.
///
///   R1. park() links the waiter only if `still_waits()` holds under the bucket's lock; whoever
///       changes that condition does so before it calls wake(). So no wake is lost.
///   R2. A wake that comes too late for its waiter passes on to the next one.
///   R3. Wakers are claimed under the lock, scheduled outside of it. A claimed task stays: only its
///       claimer may schedule it.
/// Threads: any.
/// Source: WebKit's parking lot. Differs: tasks, not threads.
class parking_lot {
public:
  static parking_lot& instance() noexcept;

  /// Links `waiter` at `address`. Returns false when `still_waits()` does not hold. R1
  template <class Condition>
  [[nodiscard]] bool park(parked_waiter& waiter, const void* address, waker key,
                          Condition still_waits) noexcept {
    bucket& here = bucket_of(address);
    pal::lock guard{here.mutex};
    if (!still_waits()) return false;
    waiter.address = address;
    waiter.key = key;
    waiter.was_woken = false;
    here.waiters.push_back(waiter);
    return true;
  }

  /// Takes `waiter` off, if it is there. Returns: true when a wake had taken it off already.
  bool leave(parked_waiter& waiter) noexcept;

  /// Wakes up to `max` waiters of `address`, oldest first; `on_last()` is called under the lock
  /// when none is left.
  template <class Act>
  void wake(const void* address, std::size_t max, Act on_last) noexcept {
    std::array<task_core*, batch> claimed;
    for (std::size_t left = max; left > 0;) {
      std::size_t wanted = left < batch ? left : batch;
      std::size_t count = 0;
      {
        bucket& here = bucket_of(address);
        pal::lock guard{here.mutex};
        count = claim(here, address, claimed, wanted);
        if (count < wanted || !has_waiter(here, address)) on_last();
      }
      for (std::size_t i = 0; i < count; ++i) claimed[i]->schedule();
      if (count < wanted) return;
      left -= count;
    }
  }

  /// Calls `change()` and takes all waiters of `address` off, in one step under the lock: whoever
  /// sees the change may destroy the thing at `address`, and what is put there next is left alone.
  template <class Act>
  void wake_all(const void* address, Act change) noexcept {
    claimed_tasks claimed;
    {
      bucket& here = bucket_of(address);
      pal::lock guard{here.mutex};
      change();
      claim_all(here, address, claimed);
    }
    claimed.schedule();
  }

private:
  static constexpr std::size_t batch = 32;
  static constexpr std::size_t bucket_count = 256;

  struct alignas(cache_line_bytes) bucket {
    pal::mutex mutex;
    intrusive_list<parked_waiter> waiters;
  };

  [[nodiscard]] bucket& bucket_of(const void* address) noexcept {
    auto bits = reinterpret_cast<std::uintptr_t>(address);
    return buckets_[((bits >> 4U) * 0x9e3779b97f4a7c15U) >> 56U];
  }
  static std::size_t claim(bucket& here, const void* address,
                           std::array<task_core*, batch>& claimed, std::size_t wanted) noexcept;
  static void claim_all(bucket& here, const void* address, claimed_tasks& claimed) noexcept;
  static bool has_waiter(bucket& here, const void* address) noexcept;

  std::array<bucket, bucket_count> buckets_;
};

}  // namespace troupe::inline v0_1::detail
