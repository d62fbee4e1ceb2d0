#pragma once

#include <array>
#include <cstddef>
#include <new>
#include <vector>

#include <model/relacy.hpp>

#include <troupe/pal/mutex.hpp>

namespace troupe::inline v0_1::detail {

/// Stands in for the header of the same name: cells that live as long as a schedule does, and a
/// list of free ones for each of the model's threads, since all of them are one thread of the
/// machine. As there, a cell that a thread has given back is taken by the same thread again, or
/// goes through the mutex.
template <class Cell>
class slab {
public:
  static constexpr std::size_t max_threads = 4;

  slab() noexcept { there = this; }
  ~slab() {
    for (chunk& each : chunks_) delete each.cells;
    there = nullptr;
  }
  slab(const slab&) = delete;
  slab& operator=(const slab&) = delete;

  static slab& instance() noexcept { return *there; }

  Cell& take() {
    auto& mine = free_[rl::thread_index()];
    if (mine.empty()) {
      pal::lock guard{mutex_};
      mine.push_back(new Cell);
      chunks_.push_back({mine.back(), 1});
    }
    Cell* cell = mine.back();
    mine.pop_back();
    ++used_;
    return *cell;
  }

  void give_back(Cell& cell) noexcept {
    --used_;
    free_[rl::thread_index()].push_back(&cell);
  }

  template <class Visit>
  void for_each(Visit visit) {
    std::vector<chunk> seen;
    {
      pal::lock guard{mutex_};
      seen = chunks_;
    }
    for (const chunk& each : seen) visit(*each.cells);
  }

  /// Returns: how many were taken and not given back.
  [[nodiscard]] std::size_t used() const noexcept { return used_; }

private:
  template <class>
  friend struct debug_access;

  struct chunk {
    Cell* cells;
    std::size_t made;
  };

  static constinit inline slab* there = nullptr;

  pal::mutex mutex_;
  std::vector<chunk> chunks_;
  std::array<std::vector<Cell*>, max_threads> free_;
  std::size_t used_ = 0;
};

}  // namespace troupe::inline v0_1::detail
