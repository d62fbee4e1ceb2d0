#pragma once

#include <cstddef>

#include <troupe/version.hpp>

namespace troupe::inline v0_1 {

/// Memory for coroutine frames, messages and other blocks that live short and cross threads.
/// Served by mimalloc (whose cross-thread frees cost a quarter of the system allocator's), or by
/// plain `operator new` under sanitizers and with -DTROUPE_WITH_MIMALLOC=OFF. The program's global
/// `new` is left alone.
/// Returns: a block aligned to 16 bytes.
/// Errors:  std::bad_alloc.
/// Threads: any; a block may be given back by another thread.
[[nodiscard]] void* allocate(std::size_t size_bytes);

/// Gives back a block of allocate(). Requires: `size_bytes` as it was asked for.
void deallocate(void* block, std::size_t size_bytes) noexcept;

/// Asked before each block that allocate() makes; true makes it throw std::bad_alloc.
class allocation_check {
public:
  virtual bool refuses(std::size_t size_bytes) noexcept = 0;

protected:
  ~allocation_check() = default;
};

/// Has `check` asked on the calling thread from now on, about every block: none is kept at hand
/// meanwhile. Null: none is. For tests of what becomes of a program without memory. Requires: it
/// lives until then.
void check_allocations(allocation_check* check) noexcept;

}  // namespace troupe::inline v0_1
