#include <troupe/actor/detail/message_pool.hpp>

namespace troupe::inline v0_1::detail {

namespace {

// Frees what a thread has at hand when it ends.
struct last_act {
  ~last_act() {
    for (std::size_t i = 0; i < message_pool::max_lines; ++i) {
      message_pool::stack& kept = local_messages.stacks[i];
      kept.room = 0;
      while (message_pool::free_block* block = kept.first) {
        kept.first = block->next;
        deallocate(block, (i + 1) * cache_line_bytes);
      }
    }
  }
};

void open_pool() noexcept {
  static thread_local last_act at_end;
  (void)at_end;
  local_messages.is_open = true;
  for (message_pool::stack& each : local_messages.stacks) each.room = message_pool::max_kept;
}

}  // namespace

void* allocate_message_elsewhere(std::size_t size_bytes) {
  std::size_t lines = cache_lines_of(size_bytes);
  return allocate(lines > message_pool::max_lines ? size_bytes : lines * cache_line_bytes);
}

void free_message_elsewhere(void* block, std::size_t size_bytes) noexcept {
  std::size_t lines = cache_lines_of(size_bytes);
  if (lines > message_pool::max_lines) return deallocate(block, size_bytes);
  if (local_messages.is_open) return deallocate(block, lines * cache_line_bytes);
  open_pool();
  free_message(block, size_bytes);
}

}  // namespace troupe::inline v0_1::detail
