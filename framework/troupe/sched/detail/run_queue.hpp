#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <troupe/base/cache_line.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/task/job.hpp>

namespace troupe::inline v0_1::detail {

/// The ready jobs of one worker: a ring, first in first out, from whose front others may steal.
///
///   head_   index of the oldest job     pop, take_half: one CAS each; only grows
///   tail_   index behind the newest     push, by the owner alone; only grows
///   slot    job at its index            push, while the index is outside [head_, tail_)
///
///   R1. push and pop are the owner's; take_half is anyone's.
///   R2. A slot in [head_, tail_) is not written: who has read it and then moves head_ from the
///       value it read before owns the jobs.
///   R3. Indices are 32 bits and wrap; a CAS is fooled only by 2^32 pops during one take_half.
/// Source: the Go runtime's runqput, runqget, runqgrab. Differs: no next slot in here.
/// Capacity: a power of two, for R3.
template <std::uint32_t Capacity>
class basic_run_queue {
  static_assert((Capacity & (Capacity - 1)) == 0);

public:
  static constexpr std::uint32_t capacity = Capacity;

  /// Adds at the back. Returns false when there is no room. R1
  [[nodiscard]] bool push(job& ready) noexcept {
    std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) >= capacity) return false;  // <- take_half
    slot(tail).store(&ready, std::memory_order_relaxed);
    tail_.store(tail + 1, std::memory_order_release);  // -> take_half
    return true;
  }

  /// Takes the oldest; null when empty. R1
  [[nodiscard]] job* pop() noexcept {
    std::uint32_t head = head_.load(std::memory_order_relaxed);
    for (;;) {
      if (head == tail_.load(std::memory_order_relaxed)) return nullptr;
      job* oldest = slot(head).load(std::memory_order_relaxed);
      if (head_.compare_exchange_weak(head, head + 1, std::memory_order_relaxed,
                                      std::memory_order_relaxed)) {
        return oldest;
      }
    }
  }

  /// Tells the processor about a job some turns ahead: after a burst of new tasks it lies in memory
  /// that no cache holds any more, and a short turn is over before that has come. Only its address
  /// is used. R1
  void prefetch() noexcept {
    std::uint32_t head = head_.load(std::memory_order_relaxed);
    if (tail_.load(std::memory_order_relaxed) - head <= turns_ahead) return;
    prefetch(slot(head + turns_ahead).load(std::memory_order_relaxed));
  }

  /// The same for jobs that come in from elsewhere, before they are pushed.
  static void prefetch_first(std::span<job* const> incoming) noexcept {
    for (job* each : incoming.first(std::min<std::size_t>(incoming.size(), turns_ahead))) {
      prefetch(each);
    }
  }

  /// Takes half of the jobs, the oldest ones. Returns: how many were written to `out`.
  /// The owner makes room with it, anyone else steals with it.
  [[nodiscard]] std::uint32_t take_half(std::array<job*, capacity / 2>& out) noexcept {
    std::uint32_t head = head_.load(std::memory_order_relaxed);
    for (;;) {
      std::uint32_t count = tail_.load(std::memory_order_acquire) - head;  // <- push
      count -= count / 2;
      if (count == 0) return 0;
      if (count > capacity / 2) {  // head_ moved between the two loads: look again.
        head = head_.load(std::memory_order_relaxed);
        continue;
      }
      for (std::uint32_t i = 0; i < count; ++i) {
        out[i] = slot(head + i).load(std::memory_order_relaxed);
      }
      if (head_.compare_exchange_weak(head, head + count, std::memory_order_release,  // -> push
                                      std::memory_order_relaxed)) {
        return count;  // R2
      }
    }
  }

  /// Threads: any; a moment's truth.
  [[nodiscard]] std::uint32_t size() const noexcept {
    std::uint32_t head = head_.load(std::memory_order_relaxed);
    std::uint32_t count = tail_.load(std::memory_order_relaxed) - head;
    return count > capacity ? 0 : count;
  }

  /// Swaps the oldest job with the one `distance` behind it, so that a seed can choose what runs.
  /// Requires: a single worker (nobody steals), and `distance` below size().
  void bring_forward(std::uint32_t distance) noexcept {
    std::uint32_t head = head_.load(std::memory_order_relaxed);
    job* first = slot(head).load(std::memory_order_relaxed);
    job* chosen = slot(head + distance).load(std::memory_order_relaxed);
    slot(head).store(chosen, std::memory_order_relaxed);
    slot(head + distance).store(first, std::memory_order_relaxed);
  }

private:
  static constexpr std::uint32_t turns_ahead = 6;

  static void prefetch(const job* of) noexcept { prefetch_to_write(of, 2 * cache_line_bytes); }

  pal::atomic<job*>& slot(std::uint32_t index) noexcept { return slots_[index % capacity]; }

  alignas(cache_line_bytes) pal::atomic<std::uint32_t> head_{0};
  alignas(cache_line_bytes) pal::atomic<std::uint32_t> tail_{0};
  std::array<pal::atomic<job*>, capacity> slots_{};
};

using run_queue = basic_run_queue<256>;

}  // namespace troupe::inline v0_1::detail
