#pragma once

#include <cstddef>

#include <troupe/task/executor.hpp>

namespace troupe {

/// Asks every actor that lives on `exec` to stop. Returns: how many have not ended. Threads: any.
std::size_t stop_all_actors(const executor& exec) noexcept;

/// Ends every actor that gets no turn any more: its mail is undelivered, its state is destroyed,
/// none of its functions run. Requires: the workers of `exec` have stopped, its tasks are gone.
void abandon_all_actors(const executor& exec) noexcept;

}  // namespace troupe
