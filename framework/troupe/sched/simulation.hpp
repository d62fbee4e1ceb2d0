#pragma once

#include <troupe/task/job.hpp>

namespace troupe::inline v0_1 {

/// What a simulated world brings to a scheduler that has a seed: it is told what runs.
class simulation {
public:
  /// Called on the worker before each turn. Must not touch the scheduler.
  virtual void before_turn(job& next) noexcept = 0;

protected:
  ~simulation() = default;
};

}  // namespace troupe::inline v0_1
