#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

#include <troupe/base/cache_line.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/task/job.hpp>

namespace troupe::inline v0_1::detail {

/// All cells of one kind in the process: of tasks, of actors.
///
/// Cells are never unmapped, so that late wakers and walkers are safe; each thread keeps some free
/// ones at hand, linked by job::next. Chunks are large and ask for huge pages: a burst of a million
/// tasks then costs a hundred page faults instead of fifty thousand.
/// Requires: a Cell is a job, made without arguments; it befriends its slab.
template <class Cell>
class slab {
public:
  static slab& instance() {
    static auto* made = new slab;  // Never destroyed: threads may end after statics.
    return *made;
  }

  Cell& take() {
    cache& mine = local();
    if (mine.first == nullptr) refill(mine);
    Cell* cell = mine.first;
    mine.first = static_cast<Cell*>(cell->next);
    --mine.count;
    // In a burst of spawns the next cell is often in no cache.
    __builtin_prefetch(mine.first, 1);
    auto address = reinterpret_cast<std::uintptr_t>(mine.first);  // Null too: no pointer to add to.
    __builtin_prefetch(reinterpret_cast<const char*>(address + cache_line_bytes), 1);
    return *cell;
  }

  void give_back(Cell& cell) noexcept {
    cache& mine = local();
    cell.next = mine.first;
    mine.first = &cell;
    if (++mine.count >= 2 * batch) return_batch(mine, batch);
  }

  /// Calls `visit(Cell&)` for every cell ever made, in use or not, oldest first. Threads: any.
  template <class Visit>
  void for_each(Visit visit) {
    std::vector<chunk> seen;
    {
      pal::lock guard{mutex_};
      seen = chunks_;
    }
    for (const chunk& each : seen) {
      for (std::size_t i = 0; i < each.made; ++i) visit(each.cells[i]);
    }
  }

private:
  template <class>
  friend struct debug_access;

  static constexpr std::size_t batch = 64;
  static constexpr std::size_t chunk_bytes = std::size_t{1} << 21;  // One huge page.
  static constexpr std::size_t chunk_cells = chunk_bytes / sizeof(Cell);

  struct chunk {
    Cell* cells;
    std::size_t made;  // Constructed so far, from the front.
  };

  struct cache {
    Cell* first = nullptr;
    std::size_t count = 0;
    ~cache() {
      if (count > 0) slab::instance().return_batch(*this, count);
    }
  };

  slab() noexcept { there = this; }

  static cache& local() {
    static thread_local cache mine;
    return mine;
  }

  void refill(cache& mine) {
    pal::lock guard{mutex_};
    if (!free_batches_.empty()) {
      mine.first = free_batches_.back().first;
      mine.count = free_batches_.back().count;
      free_batches_.pop_back();
      return;
    }
    if (chunks_.empty() || chunks_.back().made == chunk_cells) add_chunk();
    chunk& newest = chunks_.back();
    for (; mine.count < batch && newest.made < chunk_cells; ++mine.count) {
      auto* cell = new (&newest.cells[newest.made++]) Cell;
      cell->next = std::exchange(mine.first, cell);
    }
  }

  void add_chunk() {
    chunks_.push_back({nullptr, 0});
    void* raw = std::aligned_alloc(chunk_bytes, chunk_bytes);
    if (raw == nullptr) {
      chunks_.pop_back();
      throw std::bad_alloc{};
    }
    if (chunks_.size() > 1) ::madvise(raw, chunk_bytes, MADV_HUGEPAGE);  // A wish; may fail.
    chunks_.back().cells = static_cast<Cell*>(raw);
  }

  void return_batch(cache& mine, std::size_t count) noexcept {
    Cell* first = mine.first;
    job* last = first;
    for (std::size_t i = 1; i < count; ++i) last = last->next;
    mine.first = static_cast<Cell*>(last->next);
    mine.count -= count;
    last->next = nullptr;
    pal::lock guard{mutex_};
    free_batches_.push_back({first, count});
  }

  struct cache_batch {
    Cell* first = nullptr;
    std::size_t count = 0;
  };

  static constinit inline slab* there = nullptr;  // For debuggers; see debug_facts.

  pal::mutex mutex_;
  std::vector<chunk> chunks_;
  std::vector<cache_batch> free_batches_;
};

}  // namespace troupe::inline v0_1::detail
