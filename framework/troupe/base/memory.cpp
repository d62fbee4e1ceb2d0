#include <troupe/base/memory.hpp>

#include <new>

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

#else

void* allocate(std::size_t size_bytes) { return ::operator new(size_bytes); }

void deallocate(void* block, std::size_t size_bytes) noexcept {
  ::operator delete(block, size_bytes);
}

#endif

}  // namespace troupe::inline v0_1
