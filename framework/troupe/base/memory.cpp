#include <troupe/base/memory.hpp>

#include <new>

#if TROUPE_USE_MIMALLOC
#include <mimalloc.h>
#endif

#include <troupe/base/block_pool.hpp>

namespace troupe::inline v0_1 {

namespace {

constinit thread_local allocation_check* check_in_force = nullptr;

void* take_block(std::size_t size_bytes) {
#if TROUPE_USE_MIMALLOC
  void* block = mi_malloc(size_bytes);
  if (block == nullptr) throw std::bad_alloc{};
  return block;
#else
  return ::operator new(size_bytes);
#endif
}

// Apart, so that an allocation that nobody checks keeps nothing across a call.
[[gnu::noinline]] void* allocate_checked(std::size_t size_bytes) {
  if (check_in_force->refuses(size_bytes)) throw std::bad_alloc{};
  return take_block(size_bytes);
}

}  // namespace

void check_allocations(allocation_check* check) noexcept {
  check_in_force = check;
  detail::keep_blocks(check == nullptr);
}

void* allocate(std::size_t size_bytes) {
  if (check_in_force != nullptr) [[unlikely]]
    return allocate_checked(size_bytes);
  return take_block(size_bytes);
}

void deallocate(void* block, std::size_t size_bytes) noexcept {
#if TROUPE_USE_MIMALLOC
  mi_free_size(block, size_bytes);
#else
  ::operator delete(block, size_bytes);
#endif
}

}  // namespace troupe::inline v0_1
