// The global `new`, which counts.

#include "heap.hpp"

#include <cstdlib>
#include <new>

#include <troupe/pal/atomic.hpp>

namespace troupe::scenarios {

namespace {

constinit pal::atomic<std::size_t> blocks{0};

void* take_block(std::size_t size_bytes) {
  void* block = std::malloc(size_bytes == 0 ? 1 : size_bytes);
  if (block == nullptr) throw std::bad_alloc{};
  blocks.fetch_add(1, std::memory_order_relaxed);
  return block;
}

void give_block(void* block) noexcept {
  if (block == nullptr) return;
  blocks.fetch_sub(1, std::memory_order_relaxed);
  std::free(block);
}

}  // namespace

std::size_t blocks_on_heap() noexcept { return blocks.load(std::memory_order_relaxed); }

}  // namespace troupe::scenarios

void* operator new(std::size_t size_bytes) { return troupe::scenarios::take_block(size_bytes); }
// A sanitizer brings one of its own, which would not count.
void* operator new(std::size_t size_bytes, const std::nothrow_t&) noexcept {
  try {
    return troupe::scenarios::take_block(size_bytes);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](std::size_t size_bytes) { return troupe::scenarios::take_block(size_bytes); }
void operator delete(void* block) noexcept { troupe::scenarios::give_block(block); }
void operator delete[](void* block) noexcept { troupe::scenarios::give_block(block); }
void operator delete(void* block, std::size_t) noexcept { troupe::scenarios::give_block(block); }
void operator delete[](void* block, std::size_t) noexcept { troupe::scenarios::give_block(block); }
