#pragma once

#include <functional>

#include <troupe/task/task.hpp>

namespace troupe::inline v0_1 {

/// Runs `act(worker index)` once on each worker of the current runtime, and ends when all have.
///
/// For state that libraries keep per thread. `act` must not block and must not throw.
/// Cancel: not before all have run it. Bounds: waits for the turn that each worker is in.
[[nodiscard]] task<> on_each_worker(std::function<void(std::size_t)> act);

}  // namespace troupe::inline v0_1
