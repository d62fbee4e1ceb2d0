#include <troupe/base/memory.hpp>

#include <new>

#include <troupe/base/block_pool.hpp>

#if TROUPE_USE_MIMALLOC
#include <mimalloc.h>
#endif

namespace troupe::inline v0_1 {

#if TROUPE_USE_MIMALLOC

void* allocate(std::size_t size_bytes) {
  void* block = mi_malloc(size_bytes);
  if (block == nullptr) throw std::bad_alloc{};
  return block;
}

void deallocate(void* block, std::size_t size_bytes) noexcept { mi_free_size(block, size_bytes); }

static constexpr std::size_t kept_at_most = detail::block_pool::max_kept;

#else

void* allocate(std::size_t size_bytes) { return ::operator new(size_bytes); }

void deallocate(void* block, std::size_t size_bytes) noexcept {
  ::operator delete(block, size_bytes);
}

static constexpr std::size_t kept_at_most = 0;

#endif

namespace detail {

namespace {

// Frees what a thread has at hand when it ends.
struct last_act {
  ~last_act() {
    for (std::size_t i = 0; i < block_pool::max_lines; ++i) {
      block_pool::stack& kept = local_blocks.stacks[i];
      kept.room = 0;
      while (block_pool::kept_block* block = kept.first) {
        kept.first = block->next;
        deallocate(block, (i + 1) * cache_line_bytes);
      }
    }
  }
};

void open_pool() noexcept {
  static thread_local last_act at_end;
  (void)at_end;
  local_blocks.is_open = true;
  for (block_pool::stack& each : local_blocks.stacks) each.room = kept_at_most;
}

}  // namespace

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

}  // namespace detail

}  // namespace troupe::inline v0_1
