#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <troupe/observe/stack_trace.hpp>
#include <troupe/pal/parker.hpp>
#include <troupe/pal/thread.hpp>
#include <troupe/sched/scheduler.hpp>

namespace troupe::inline v0_1 {

/// Reports turns that hold their worker for long: a handler that blocks, or computes.
///
/// A thread of its own, asleep while all workers are idle, looks at them twice in `threshold`. What
/// is in the same turn at looks at least `threshold` apart is a line of level warning in the log:
/// who, which handler, for how long, and where in the source; again when it has lasted ten times as
/// long. At most one line in a second; the next says how many were left out.
///
/// Threads: made and destroyed by the owner of the scheduler, before its workers stop.
/// Bounds:  a stall is seen after 1 to 1.5 times the threshold.
class stall_watch {
public:
  struct settings {
    duration threshold;
    bool with_stack;  ///< Ask the stalled thread, by a signal, where it is.
  };

  /// Errors: std::system_error when a thread cannot be made.
  stall_watch(scheduler& of, settings how);
  ~stall_watch();
  stall_watch(const stall_watch&) = delete;
  stall_watch& operator=(const stall_watch&) = delete;

private:
  // What was seen of one worker.
  struct sight {
    std::uint64_t turns = 0;
    time_point since{};
    duration next_report{};
  };

  void run();
  void look(std::size_t index, time_point now);
  void report(std::size_t index, const worker_sight& seen, duration lasted);

  scheduler& of_;
  const settings how_;
  std::optional<stack_looker> stacks_;  // Only those who may touch signals have one.
  std::vector<sight> sights_;
  time_point last_line_{};
  std::size_t left_out_ = 0;
  pal::atomic<bool> ended_{false};
  pal::parker parker_;
  pal::thread thread_;  // Last: it uses the rest.
};

/// Returns: the lines of `calls` that say most: the first one that is neither of the system nor of
/// this library, as `file:line in function`, and what has called it; empty when there is none.
[[nodiscard]] std::string first_own_calls(const std::vector<stack_frame>& calls);

}  // namespace troupe::inline v0_1
