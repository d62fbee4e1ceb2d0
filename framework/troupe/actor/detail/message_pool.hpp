#pragma once

#include <cstddef>

namespace troupe::detail {

/// Memory for requests and messages: kept by each thread in small stacks, so that a warm one takes
/// nothing from the heap. They are mostly freed on the thread they were made on.
/// Errors: std::bad_alloc. Threads: any.
[[nodiscard]] void* allocate_message(std::size_t size_bytes);

/// Requires: `size_bytes` as it was asked for.
void free_message(void* block, std::size_t size_bytes) noexcept;

}  // namespace troupe::detail
