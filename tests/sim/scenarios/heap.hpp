#pragma once

#include <cstddef>

namespace troupe::scenarios {

/// Returns: how many blocks of the global `new` the process holds.
[[nodiscard]] std::size_t blocks_on_heap() noexcept;

}  // namespace troupe::scenarios
