#pragma once

#include <cstddef>

#include <troupe/version.hpp>

namespace troupe::inline v0_1 {

/// Distance in bytes at which two fields written by different threads do not disturb one another.
inline constexpr std::size_t cache_line_bytes = 64;

namespace detail {

/// Tells the processor that the line at `address` will be written soon: it is then fetched as this
/// core's own. Any address will do, a null one too.
inline void prefetch_to_write(const void* address) noexcept {
#if defined(__x86_64__)
  // The builtin asks for a shared line, unless the whole program needs a newer processor.
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(address)));
#else
  __builtin_prefetch(address, 1);
#endif
}

/// The same for all lines of `size_bytes` from there on.
inline void prefetch_to_write(const void* address, std::size_t size_bytes) noexcept {
  auto* first = static_cast<const char*>(address);
  for (std::size_t at = 0; at < size_bytes; at += cache_line_bytes) prefetch_to_write(first + at);
  if (size_bytes % cache_line_bytes != 0) prefetch_to_write(first + size_bytes - 1);
}

}  // namespace detail

}  // namespace troupe::inline v0_1
