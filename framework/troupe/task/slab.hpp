#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <functional>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include <troupe/base/cache_line.hpp>
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
    static auto* made = new slab;  // Never destroyed: threads may end after statics.
    return *made;
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
    std::vector<chunk> seen;
    {
      pal::lock guard{mutex_};
      seen = chunks_;
    }
    for (const chunk& each : seen) {
      for (std::size_t i = 0; i < each.made; ++i) visit(each.cells[i]);
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
    std::vector<Cell*> free{mine.cells.begin(),
                            mine.cells.begin() + static_cast<std::ptrdiff_t>(mine.count)};
    for (const free_batch& each : free_batches_) {
      free.insert(free.end(), each.cells.begin(),
                  each.cells.begin() + static_cast<std::ptrdiff_t>(each.count));
    }
    // Whole batches: when the next one is taken then depends on nothing that was before.
    while (free.size() % batch != 0) free.push_back(&make_cell());
    std::sort(free.begin(), free.end(), [this](const Cell* a, const Cell* b) {
      return std::pair{chunk_of(*a), a} > std::pair{chunk_of(*b), b};
    });
    free_batches_.resize(free.size() / batch);
    mine.count = 0;
    for (std::size_t i = 0; i < free_batches_.size(); ++i) {
      std::copy_n(free.begin() + static_cast<std::ptrdiff_t>(i * batch), batch,
                  free_batches_[i].cells.begin());
      free_batches_[i].count = batch;
    }
  }

private:
  template <class>
  friend struct debug_access;

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
      for (; mine.count > 0; mine.count -= std::min(batch, mine.count)) {
        instance().return_batch(
            std::span{mine.cells}.first(mine.count).last(std::min(batch, mine.count)));
      }
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
    if (!free_batches_.empty()) {
      free_batch& last = free_batches_.back();
      mine.count = std::min(wanted, last.count);
      last.count -= mine.count;
      std::copy_n(last.cells.begin() + last.count, mine.count, mine.cells.begin());
      if (last.count == 0) free_batches_.pop_back();
      std::size_t near = std::min(mine.count, takes_ahead);
      for (std::size_t i = 1; i <= near; ++i) prefetch(*mine.cells[mine.count - i]);
      return;
    }
    mine.cells[mine.count++] = &make_cell();
    chunk& newest = chunks_.back();
    while (mine.count < wanted && newest.made < chunk_cells) {
      mine.cells[mine.count++] = new (&newest.cells[newest.made++]) Cell;
    }
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

  // Requires: no more than a batch.
  void return_batch(std::span<Cell* const> cells) noexcept {
    pal::lock guard{mutex_};
    free_batch& made = free_batches_.emplace_back();
    std::copy(cells.begin(), cells.end(), made.cells.begin());
    made.count = cells.size();
  }

  struct free_batch {
    std::array<Cell*, batch> cells;
    std::size_t count;
  };

  static constinit inline slab* there = nullptr;  // For debuggers; see debug_facts.
  // One per thread of the process: see current_context_pointer.
  [[gnu::visibility("default")]] static constinit inline thread_local cache local_cells{};

  pal::mutex mutex_;
  std::vector<chunk> chunks_;
  std::deque<free_batch> free_batches_;
};

}  // namespace troupe::inline v0_1::detail
