#pragma once

#include <functional>
#include <string>
#include <utility>

#include <troupe/sched/simulation.hpp>
#include <troupe/sim/detail/blocking_threads.hpp>
#include <troupe/sim/detail/turn_log.hpp>

namespace troupe::inline v0_1::sim::detail {

/// What a node gives to the scheduler of its runtime.
struct node_seam final : simulation {
  node_seam(history& into, pal::clock& clock, std::uint64_t node_number, std::string node_name)
      : turns{into, clock, node_number, std::move(node_name)}, threads{clock} {}

  void before_turn(job& next) noexcept override { turns.before_turn(next); }
  void run_blocking(std::function<void()> work) override { threads.add(std::move(work)); }
  void end_blocking() noexcept override { threads.end_all(); }

  turn_log turns;
  blocking_threads threads;
};

}  // namespace troupe::inline v0_1::sim::detail
