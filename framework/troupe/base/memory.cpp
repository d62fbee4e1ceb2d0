#include <troupe/base/memory.hpp>

#include <new>

#if TROUPE_USE_MIMALLOC
#include <mimalloc.h>
#endif

#include <troupe/base/block_pool.hpp>

namespace troupe::inline v0_1 {

namespace {

constinit thread_local allocation_check* check_in_force = nullptr;

// Apart, so that an allocation that nobody checks keeps nothing across a call.
[[gnu::noinline]] void* allocate_checked(std::size_t size_bytes) {
  if (check_in_force->refuses(size_bytes)) throw std::bad_alloc{};
#if TROUPE_USE_MIMALLOC
  if (void* block = mi_malloc(size_bytes)) return block;
  throw std::bad_alloc{};
#else
  return ::operator new(size_bytes);
#endif
}

}  // namespace

void check_allocations(allocation_check* check) noexcept {
  check_in_force = check;
  detail::keep_blocks(check == nullptr);
}

#if TROUPE_USE_MIMALLOC

void* allocate(std::size_t size_bytes) {
  if (check_in_force != nullptr) [[unlikely]]
    return allocate_checked(size_bytes);
  void* block = mi_malloc(size_bytes);
  if (block == nullptr) throw std::bad_alloc{};
  return block;
}

void deallocate(void* block, std::size_t size_bytes) noexcept { mi_free_size(block, size_bytes); }

#else

void* allocate(std::size_t size_bytes) {
  if (check_in_force != nullptr) [[unlikely]]
    return allocate_checked(size_bytes);
  return ::operator new(size_bytes);
}

void deallocate(void* block, std::size_t size_bytes) noexcept {
  ::operator delete(block, size_bytes);
}

#endif

}  // namespace troupe::inline v0_1
