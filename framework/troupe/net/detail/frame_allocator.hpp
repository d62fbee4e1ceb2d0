#pragma once

#include <cstddef>

#include <troupe/base/memory.hpp>

namespace troupe::net::detail {

/// Takes what Asio keeps per operation from where coroutine frames come from. Asio's own recycling
/// serves only threads that are inside io_context::run(), and tasks start operations outside of it.
template <class T>
class frame_allocator {
public:
  using value_type = T;

  frame_allocator() = default;
  template <class U>
  frame_allocator(const frame_allocator<U>&) noexcept {}

  [[nodiscard]] T* allocate(std::size_t count) {
    static_assert(alignof(T) <= 16);
    return static_cast<T*>(troupe::allocate(count * sizeof(T)));
  }
  void deallocate(T* block, std::size_t count) noexcept {
    troupe::deallocate(block, count * sizeof(T));
  }

  friend bool operator==(const frame_allocator&, const frame_allocator&) = default;
};

}  // namespace troupe::net::detail
