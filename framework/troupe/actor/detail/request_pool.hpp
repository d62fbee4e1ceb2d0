#pragma once

#include <cstddef>

namespace troupe::detail {

/// Memory for requests: kept by each thread in small stacks, so that a warm request takes nothing
/// from the heap. Requests are freed by who asked, mostly on the thread they were made on.
/// Errors: std::bad_alloc. Threads: any.
[[nodiscard]] void* allocate_request(std::size_t size_bytes);

/// Requires: `size_bytes` as it was asked for.
void free_request(void* block, std::size_t size_bytes) noexcept;

}  // namespace troupe::detail
