#pragma once

// In place of relacy/memory.hpp: the heap of a schedule, of which Relacy's own looks up each block
// in a tree. This one keeps a note in front of the block.

#define RL_MEMORY_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ios>
#include <new>
#include <ostream>
#include <vector>

#include <relacy/base.hpp>

namespace rl {

class memory_mgr : nocopy<> {
public:
  memory_mgr() { used_.before = used_.after = &used_; }

  void* alloc(std::size_t size_bytes) {
    note* fresh = take_kept(size_bytes);
    if (fresh == nullptr) fresh = static_cast<note*>(std::malloc(sizeof(note) + size_bytes));
    if (fresh == nullptr) throw std::bad_alloc{};
    fresh->size_bytes = size_bytes;
    fresh->state = alive;
    fresh->before = &used_;
    fresh->after = used_.after;
    used_.after = fresh->after->before = fresh;
    return fresh + 1;
  }

  /// Frees a block; with `defer`, its memory is used again by a later one only after many others.
  /// Returns: false when it is none that is in use.
  bool free(void* block, bool defer) {
    if (block == nullptr) return true;
    note* freed = static_cast<note*>(block) - 1;
    if (freed->state != alive) return false;
    freed->state = ended;
    freed->before->after = freed->after;
    freed->after->before = freed->before;
    if (defer) {
      deferred_[deferred_count_++ % deferred_.size()] = freed;
      freed = deferred_[deferred_count_ % deferred_.size()];
      deferred_[deferred_count_ % deferred_.size()] = nullptr;
    }
    if (freed != nullptr) keep(*freed);
    return true;
  }

  /// Returns: whether all blocks have been freed.
  bool iteration_end() { return used_.after == &used_; }

  void output_allocs(std::ostream& out) {
    out << "memory allocations:\n";
    for (note* each = used_.after; each != &used_; each = each->after) {
      out << static_cast<void*>(each + 1) << " [" << each->size_bytes << "]\n";
    }
  }

private:
  static constexpr std::uint64_t alive = 0x616c697665, ended = 0x656e646564;

  struct alignas(std::max_align_t) note {
    std::size_t size_bytes;
    std::uint64_t state;
    note* before;
    note* after;
  };
  struct kept {
    std::size_t size_bytes;
    note* first;
  };

  note* take_kept(std::size_t size_bytes) {
    for (kept& each : kept_) {
      if (each.size_bytes != size_bytes || each.first == nullptr) continue;
      note* taken = each.first;
      each.first = taken->after;
      return taken;
    }
    return nullptr;
  }
  void keep(note& freed) {
    for (kept& each : kept_) {
      if (each.size_bytes != freed.size_bytes) continue;
      freed.after = each.first;
      each.first = &freed;
      return;
    }
    freed.after = nullptr;
    kept_.push_back({freed.size_bytes, &freed});
  }

  note used_{};
  std::vector<kept, raw_allocator<kept>> kept_;
  std::array<note*, 64> deferred_{};
  std::size_t deferred_count_ = 0;
};

struct memory_alloc_event {
  void* addr_;
  std::size_t size_;
  bool is_array_;

  void output(std::ostream& out) const {
    out << "memory allocation: addr=" << addr_ << ", size=" << size_;
  }
};

struct memory_free_event {
  void* addr_;
  bool is_array_;

  void output(std::ostream& out) const { out << "memory deallocation: addr=" << addr_; }
};

}  // namespace rl
