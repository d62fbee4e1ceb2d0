#pragma once

#include <cstddef>
#include <new>
#include <utility>

#include <troupe/base/cache_line.hpp>
#include <troupe/base/memory.hpp>

namespace troupe::inline v0_1::detail {

/// Blocks for messages that a thread keeps for its next ones, by their size in cache lines: so a
/// warm message takes nothing from the heap. They are mostly freed on the thread they were made on.
struct message_pool {
  static constexpr std::size_t max_lines = 8;
  static constexpr std::size_t max_kept = 256;

  struct free_block {
    free_block* next;
  };
  struct stack {
    free_block* first = nullptr;
    std::size_t room = 0;  ///< For so many more.
  };

  stack stacks[max_lines];
  bool is_open = false;  ///< From its first block on; at its end there is no room, for good.
};

// Trivial to construct and to destroy, so that no use of it has to ask whether it is there. One per
// thread of the process: see current_context_pointer.
[[gnu::visibility("default")]] inline constinit thread_local message_pool local_messages{};

void* allocate_message_elsewhere(std::size_t size_bytes);
void free_message_elsewhere(void* block, std::size_t size_bytes) noexcept;

constexpr std::size_t cache_lines_of(std::size_t size_bytes) noexcept {
  return (size_bytes + cache_line_bytes - 1) / cache_line_bytes;
}

/// Takes a block for a message: of those that the thread has at hand, or a new one.
/// Errors: std::bad_alloc.
[[nodiscard]] inline void* allocate_message(std::size_t size_bytes) {
  std::size_t lines = cache_lines_of(size_bytes);
  if (lines > message_pool::max_lines) return allocate_message_elsewhere(size_bytes);
  message_pool::stack& from = local_messages.stacks[lines - 1];
  if (from.first == nullptr) return allocate_message_elsewhere(size_bytes);
  ++from.room;
  return std::exchange(from.first, from.first->next);
}

/// Gives it back. Requires: `size_bytes` as it was asked for. Threads: any.
inline void free_message(void* block, std::size_t size_bytes) noexcept {
  std::size_t lines = cache_lines_of(size_bytes);
  if (lines > message_pool::max_lines) return free_message_elsewhere(block, size_bytes);
  message_pool::stack& to = local_messages.stacks[lines - 1];
  if (to.room == 0) return free_message_elsewhere(block, size_bytes);
  --to.room;
  to.first = new (block) message_pool::free_block{to.first};
}

}  // namespace troupe::inline v0_1::detail
