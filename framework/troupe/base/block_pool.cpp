#include <troupe/base/block_pool.hpp>

namespace troupe::inline v0_1::detail {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kept_at_most = 0;
#elif defined(__has_feature)
constexpr std::size_t kept_at_most =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ? 0 : block_pool::max_kept;
#else
constexpr std::size_t kept_at_most = block_pool::max_kept;
#endif

void free_all() noexcept {
  for (std::size_t i = 0; i < block_pool::max_lines; ++i) {
    block_pool::stack& kept = local_blocks.stacks[i];
    kept.room = 0;
    while (block_pool::kept_block* block = kept.first) {
      kept.first = block->next;
      deallocate(block, (i + 1) * cache_line_bytes);
    }
  }
}

// Frees what a thread has at hand when it ends.
struct last_act {
  ~last_act() { free_all(); }
};

void open_pool() noexcept {
  static thread_local last_act at_end;
  (void)at_end;
  local_blocks.is_open = true;
  for (block_pool::stack& each : local_blocks.stacks) each.room = kept_at_most;
}

}  // namespace

void keep_blocks(bool wanted) noexcept {
  free_all();
  if (wanted) {
    open_pool();
  } else {
    local_blocks.is_open = true;  // Without any room.
  }
}

void* allocate_block_elsewhere(std::size_t size_bytes) {
  std::size_t lines = cache_lines_of(size_bytes);
  return allocate(lines > block_pool::max_lines ? size_bytes : lines * cache_line_bytes);
}

void free_block_elsewhere(void* block, std::size_t size_bytes) noexcept {
  std::size_t lines = cache_lines_of(size_bytes);
  if (lines > block_pool::max_lines) return deallocate(block, size_bytes);
  if (local_blocks.is_open) return deallocate(block, lines * cache_line_bytes);
  open_pool();
  free_block(block, size_bytes);
}

}  // namespace troupe::inline v0_1::detail
