#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include <troupe/pal/condition.hpp>
#include <troupe/pal/random.hpp>
#include <troupe/pal/thread.hpp>
#include <troupe/sched/simulation.hpp>

namespace troupe::inline v0_1::sim::detail {

/// The blocking work of one node. Each piece has a real thread, since it may wait in the middle of
/// a call; one at a time runs, and only while the world's own thread waits for it.
///
///   R1. Whoever has the baton runs: the world, or one of the threads. All that is not of the baton
///       itself is touched by that one alone.
class blocking_threads {
public:
  explicit blocking_threads(pal::clock& clock) noexcept;
  ~blocking_threads();
  blocking_threads(const blocking_threads&) = delete;
  blocking_threads& operator=(const blocking_threads&) = delete;

  void add(std::function<void()> work);
  /// Returns: true when a piece can begin, or go on.
  [[nodiscard]] bool has_ready() const noexcept;
  /// Lets one of those run until it has ended or waits; the numbers choose. Requires: has_ready().
  void run_one(pal::random& numbers);
  /// Drops what has not begun, and ends what waits by `canceled`.
  void end_all() noexcept;

private:
  class piece;

  void let_run(piece& chosen);

  pal::clock& clock_;
  std::vector<std::unique_ptr<piece>> pieces_;
};

}  // namespace troupe::inline v0_1::sim::detail
