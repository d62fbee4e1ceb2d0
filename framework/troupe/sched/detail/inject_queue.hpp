#pragma once

#include <cstddef>
#include <new>
#include <span>
#include <utility>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/task/job.hpp>

namespace troupe::inline v0_1::detail {

/// Jobs from threads that are no workers, and what a full run queue has no room for.
///
/// A first in, first out list of blocks of pointers, so that queueing a million jobs and taking
/// them out again touches none of them. Without memory for a block jobs are linked to one another:
/// one that was accepted cannot be dropped. Threads: any. Bounds: none.
class inject_queue {
public:
  inject_queue() = default;
  inject_queue(const inject_queue&) = delete;
  inject_queue& operator=(const inject_queue&) = delete;
  ~inject_queue() {
    while (first_ != nullptr) delete std::exchange(first_, first_->next);
    delete spare_;
  }

  void push(job& ready) noexcept {
    job* one = &ready;
    push_all({&one, 1});
  }

  void push_all(std::span<job* const> ready) noexcept {
    pal::lock guard{mutex_};
    for (job* each : ready) {
      if (linked_ != nullptr || !has_room()) {
        link(*each);
      } else {
        last_->jobs[last_->end++] = each;
      }
    }
    size_.fetch_add(ready.size(), std::memory_order_seq_cst);  // -> worker::park, by empty()
  }

  /// Takes up to `out.size()` jobs, oldest first. Returns: how many.
  [[nodiscard]] std::size_t pop(std::span<job*> out) noexcept {
    if (size_.load(std::memory_order_relaxed) == 0) return 0;
    pal::lock guard{mutex_};
    std::size_t count = 0;
    while (count < out.size() && first_ != nullptr) {
      if (first_->begin == first_->end) {
        drop_first_block();
      } else {
        out[count++] = first_->jobs[first_->begin++];
      }
    }
    while (count < out.size() && linked_ != nullptr) {
      out[count++] = std::exchange(linked_, linked_->next);
    }
    size_.fetch_sub(count, std::memory_order_relaxed);
    return count;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool empty() const noexcept { return size_.load(std::memory_order_seq_cst) == 0; }

private:
  struct block {
    static constexpr std::size_t capacity = 509;  // With the rest, 4 KiB.
    block* next = nullptr;
    std::size_t begin = 0;
    std::size_t end = 0;
    job* jobs[capacity];
  };

  // Returns: whether the last block has room, which may be a new one.
  bool has_room() noexcept {
    if (last_ != nullptr && last_->end < block::capacity) return true;
    block* fresh = spare_ != nullptr ? std::exchange(spare_, nullptr) : new (std::nothrow) block;
    if (fresh == nullptr) return false;
    fresh->next = nullptr;
    fresh->begin = fresh->end = 0;
    (last_ == nullptr ? first_ : last_->next) = fresh;
    last_ = fresh;
    return true;
  }

  void link(job& newest) noexcept {
    newest.next = nullptr;
    (linked_ == nullptr ? linked_ : last_linked_->next) = &newest;
    last_linked_ = &newest;
  }

  void drop_first_block() noexcept {
    block* empty = std::exchange(first_, first_->next);
    if (first_ == nullptr) last_ = nullptr;
    delete std::exchange(spare_, empty);
  }

  pal::mutex mutex_;
  block* first_ = nullptr;
  block* last_ = nullptr;
  block* spare_ = nullptr;  // One empty block is kept for the next need.
  job* linked_ = nullptr;   // What came in behind the blocks, oldest first.
  job* last_linked_ = nullptr;
  pal::atomic<std::size_t> size_{0};
};

}  // namespace troupe::inline v0_1::detail
