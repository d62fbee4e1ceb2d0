#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include <troupe/base/cache_line.hpp>
#include <troupe/base/immortal.hpp>
#include <troupe/pal/mutex.hpp>

namespace troupe::inline v0_1::detail {

/// All cells of one kind in the process: of tasks, of actors.
///
/// Cells are never unmapped, so that late wakers and walkers are safe; each thread keeps some free
/// ones at hand, by their addresses: in a burst a free cell lies in no cache, or in that of another
/// worker, and a list linked through the cells would cost a trip to it for each, one after another.
/// Chunks are large and ask for huge pages: a burst of a million tasks then costs a hundred page
/// faults instead of fifty thousand.
/// Requires: a Cell is made without arguments; it befriends its slab.
template <class Cell>
class slab {
public:
  static slab& instance() {
    static immortal<slab> made;  // Threads may end after statics.
    return made.get();
  }

  Cell& take() {
    cache& mine = local_cells;
    if (mine.count == 0) refill(mine);
    Cell* cell = mine.cells[--mine.count];
    if (mine.count >= takes_ahead) prefetch(*mine.cells[mine.count - takes_ahead]);
    return *cell;
  }

  void give_back(Cell& cell) noexcept {
    cache& mine = local_cells;
    if (mine.count >= mine.room) return give_back_without_room(mine, cell);
    mine.cells[mine.count++] = &cell;
  }

  /// Calls `visit(Cell&)` for every cell ever made, in use or not, oldest first. Threads: any.
  template <class Visit>
  void for_each(Visit visit) {
    for (std::size_t i = 0;; ++i) {
      chunk each = chunk_at(i);  // One by one: a copy of all would need memory.
      if (each.made == 0) return;
      for (std::size_t j = 0; j < each.made; ++j) visit(each.cells[j]);
    }
  }

  /// From here on the calling thread takes cells in the order in which they lie, as in a process
  /// that has just begun: for a simulation, whose walks over all cells, and maps by their
  /// addresses, have one order then. Threads: others may use it, and spoil that.
  /// Errors: std::bad_alloc.
  /// Bounds: holds for as many cells at once as there are in a chunk.
  void put_in_order() {
    cache& mine = local_cells;
    pal::lock guard{mutex_};
    free_.insert(free_.end(), mine.cells.begin(),
                 mine.cells.begin() + static_cast<std::ptrdiff_t>(mine.count));
    mine.count = 0;
    // Whole batches: when the next one is taken then depends on nothing that was before.
    while (free_.size() % batch != 0) free_.push_back(&make_cell());
    std::sort(free_.begin(), free_.end(), [this](const Cell* a, const Cell* b) {
      return std::pair{chunk_of(*a), a} > std::pair{chunk_of(*b), b};
    });
  }

private:
  template <class>
  friend struct debug_access;
  friend class immortal<slab>;

  static constexpr std::size_t batch = 64;
  static constexpr std::size_t takes_ahead = 6;
  static constexpr std::size_t chunk_bytes = std::size_t{1} << 21;  // One huge page.
  static constexpr std::size_t chunk_cells = chunk_bytes / sizeof(Cell);

  struct chunk {
    Cell* cells;
    std::size_t made;  // Constructed so far, from the front.
  };

  // Trivial to construct and to destroy: what its thread has, and destroys later, may still make
  // and end tasks and actors then.
  struct cache {
    std::array<Cell*, 2 * batch> cells;
    std::size_t count;
    std::size_t room;  ///< Of `cells`, from its first use on.
    bool is_over;      ///< Its thread ends: nothing is kept any more.
  };

  struct last_act {
    ~last_act() {
      cache& mine = local_cells;
      mine.is_over = true;
      mine.room = 0;
      instance().return_batch(std::span{mine.cells}.first(mine.count));
      mine.count = 0;
    }
  };

  slab() noexcept { there = this; }

  // What a birth writes.
  static void prefetch(const Cell& cell) noexcept {
    prefetch_to_write(&cell, std::min(sizeof(Cell), 2 * cache_line_bytes));
  }

  static void open(cache& mine) noexcept {
    static thread_local last_act at_end;
    (void)at_end;
    mine.room = mine.cells.size();
  }

  [[gnu::noinline]] void give_back_without_room(cache& mine, Cell& cell) noexcept {
    Cell* only = &cell;
    if (mine.is_over) return return_batch(std::span{&only, 1});
    if (mine.room == 0) {
      open(mine);
    } else {
      // The oldest ones: those that came last are warm.
      return_batch(std::span{mine.cells}.first(batch));
      std::copy(mine.cells.begin() + batch, mine.cells.end(), mine.cells.begin());
      mine.count -= batch;
    }
    mine.cells[mine.count++] = only;
  }

  void refill(cache& mine) {
    if (mine.room == 0 && !mine.is_over) open(mine);
    std::size_t wanted = mine.is_over ? 1 : batch;
    pal::lock guard{mutex_};
    if (!free_.empty()) {
      mine.count = std::min(wanted, free_.size());
      auto first = free_.end() - static_cast<std::ptrdiff_t>(mine.count);
      std::copy(first, free_.end(), mine.cells.begin());
      free_.erase(first, free_.end());
      std::size_t near = std::min(mine.count, takes_ahead);
      for (std::size_t i = 1; i <= near; ++i) prefetch(*mine.cells[mine.count - i]);
      return;
    }
    do {
      mine.cells[mine.count++] = &make_cell();
    } while (mine.count < wanted && chunks_.back().made < chunk_cells);
    std::reverse(mine.cells.begin(), mine.cells.begin() + static_cast<std::ptrdiff_t>(mine.count));
  }

  // Under the lock.
  Cell& make_cell() {
    if (chunks_.empty() || chunks_.back().made == chunk_cells) add_chunk();
    chunk& newest = chunks_.back();
    return *new (&newest.cells[newest.made++]) Cell;
  }

  [[nodiscard]] std::size_t chunk_of(const Cell& cell) const noexcept {
    auto holds = [&](const chunk& each) {
      return !std::less<>{}(&cell, each.cells) && std::less<>{}(&cell, each.cells + each.made);
    };
    return static_cast<std::size_t>(std::find_if(chunks_.begin(), chunks_.end(), holds) -
                                    chunks_.begin());
  }

  // Also makes room to have all cells free, so that giving back needs no memory.
  void add_chunk() {
    free_.reserve((chunks_.size() + 1) * chunk_cells);
    chunks_.push_back({nullptr, 0});
    void* raw = std::aligned_alloc(chunk_bytes, chunk_bytes);
    if (raw == nullptr) {
      chunks_.pop_back();
      throw std::bad_alloc{};
    }
    if (chunks_.size() > 1) ::madvise(raw, chunk_bytes, MADV_HUGEPAGE);  // A wish; may fail.
    chunks_.back().cells = static_cast<Cell*>(raw);
  }

  // Returns: one without cells behind the last.
  [[nodiscard]] chunk chunk_at(std::size_t index) noexcept {
    pal::lock guard{mutex_};
    return index < chunks_.size() ? chunks_[index] : chunk{nullptr, 0};
  }

  void return_batch(std::span<Cell* const> cells) noexcept {
    pal::lock guard{mutex_};
    free_.insert(free_.end(), cells.begin(), cells.end());
  }

  static constinit inline slab* there = nullptr;  // For debuggers; see debug_facts.
  // One per thread of the process: see current_context_pointer.
  [[gnu::visibility("default")]] static constinit inline thread_local cache local_cells{};

  pal::mutex mutex_;
  std::vector<chunk> chunks_;
  std::vector<Cell*> free_;  // With room for all there are; the last ones are the warmest.
};

}  // namespace troupe::inline v0_1::detail
