#pragma once

#include <cstddef>
#include <new>
#include <utility>

#include <troupe/base/cache_line.hpp>
#include <troupe/base/memory.hpp>

namespace troupe::inline v0_1::detail {

/// Blocks for messages and coroutine frames that a thread keeps for its next ones, by their size in
/// cache lines: so a warm one takes nothing from the heap, and lies in the cache. They are mostly
/// freed on the thread they were made on. Under sanitizers none are kept: they see each use after
/// the end.
struct block_pool {
  static constexpr std::size_t max_lines = 8;
  static constexpr std::size_t max_kept = 256;

  struct kept_block {
    kept_block* next;
  };
  struct stack {
    kept_block* first = nullptr;
    std::size_t room = 0;  ///< For so many more.
  };

  stack stacks[max_lines];
  bool is_open = false;  ///< From its first block on; at its end there is no room, for good.
};

// Trivial to construct and to destroy, so that no use of it has to ask whether it is there. One per
// thread of the process: see current_context_pointer.
[[gnu::visibility("default")]] inline constinit thread_local block_pool local_blocks{};

/// Whether the calling thread keeps blocks: those that it has are freed when it does not.
void keep_blocks(bool wanted) noexcept;

void* allocate_block_elsewhere(std::size_t size_bytes);
void free_block_elsewhere(void* block, std::size_t size_bytes) noexcept;

constexpr std::size_t cache_lines_of(std::size_t size_bytes) noexcept {
  return (size_bytes + cache_line_bytes - 1) / cache_line_bytes;
}

/// Takes a block aligned to 16 bytes: of those that the thread has at hand, or a new one.
/// Errors: std::bad_alloc.
[[nodiscard]] inline void* allocate_block(std::size_t size_bytes) {
  std::size_t lines = cache_lines_of(size_bytes);
  if (lines > block_pool::max_lines) return allocate_block_elsewhere(size_bytes);
  block_pool::stack& from = local_blocks.stacks[lines - 1];
  if (from.first == nullptr) return allocate_block_elsewhere(size_bytes);
  ++from.room;
  return std::exchange(from.first, from.first->next);
}

/// Gives it back. Requires: `size_bytes` as it was asked for. Threads: any.
inline void free_block(void* block, std::size_t size_bytes) noexcept {
  std::size_t lines = cache_lines_of(size_bytes);
  if (lines > block_pool::max_lines) return free_block_elsewhere(block, size_bytes);
  block_pool::stack& to = local_blocks.stacks[lines - 1];
  if (to.room == 0) return free_block_elsewhere(block, size_bytes);
  --to.room;
  to.first = new (block) block_pool::kept_block{to.first};
}

}  // namespace troupe::inline v0_1::detail
