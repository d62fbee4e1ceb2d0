#pragma once

#include <cstddef>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/task/job.hpp>

namespace troupe::detail {

/// Jobs from threads that are no workers, and what a full run queue has no room for.
/// Threads: any. Bounds: none; the jobs bring their own links.
class inject_queue {
public:
  void push(job& ready) noexcept {
    ready.next = nullptr;
    push_chain(ready, ready, 1);
  }

  /// Adds `count` jobs, linked from `first` to `last`.
  void push_chain(job& first, job& last, std::size_t count) noexcept {
    pal::lock guard{mutex_};
    (last_ == nullptr ? first_ : last_->next) = &first;
    last_ = &last;
    size_.fetch_add(count, std::memory_order_seq_cst);  // -> worker::park, which checks empty()
  }

  /// Takes up to `max` jobs as a chain, oldest first; null when there are none.
  [[nodiscard]] job* pop(std::size_t max) noexcept {
    if (size_.load(std::memory_order_relaxed) == 0) return nullptr;
    pal::lock guard{mutex_};
    job* first = first_;
    job* last = first;
    std::size_t count = 0;
    for (job* at = first; at != nullptr && count < max; at = at->next, ++count) last = at;
    if (first == nullptr) return nullptr;
    first_ = last->next;
    if (first_ == nullptr) last_ = nullptr;
    last->next = nullptr;
    size_.fetch_sub(count, std::memory_order_relaxed);
    return first;
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return size_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool empty() const noexcept {
    return size_.load(std::memory_order_seq_cst) == 0;
  }

private:
  pal::mutex mutex_;
  job* first_ = nullptr;
  job* last_ = nullptr;
  pal::atomic<std::size_t> size_{0};
};

}  // namespace troupe::detail
