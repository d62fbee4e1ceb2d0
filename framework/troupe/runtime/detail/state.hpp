#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include <troupe/observe/stall_watch.hpp>
#include <troupe/pal/condition.hpp>
#include <troupe/runtime/runtime.hpp>

namespace troupe::inline v0_1 {

/// What a runtime owns, and the phases of its end.
class runtime::state {
public:
  state(const runtime_config& config, bool is_whole_program);
  ~state();

  [[nodiscard]] troupe::scheduler& sched() noexcept { return *scheduler_; }

  /// Ends all accepting of connections.
  void stop_intake() noexcept { sched().io().stop_intake(); }
  /// Asks every task to stop.
  void cancel_all() noexcept;
  /// Waits for quiescence until `deadline`; the number of tasks left, or none on time-out.
  [[nodiscard]] std::optional<std::size_t> wait_quiescent(time_point deadline);
  /// Stops the workers and destroys what is suspended. Returns false when a worker is stuck in a
  /// turn: then nothing is destroyed, now or later, and its thread goes on.
  bool stop_now(std::chrono::nanoseconds patience) noexcept;

  [[nodiscard]] bool has_stopped() const noexcept { return stopped_; }

  /// Has `act` called whenever the runtime becomes quiescent: reason to look whether it still is.
  void on_quiescent(std::function<void()> act);

private:
  void became_quiescent();
  void retire_all() noexcept;

  std::unique_ptr<troupe::scheduler> scheduler_;
  std::optional<stall_watch> stalls_;  // Until the workers stop.
  bool stopped_ = false;
  bool is_held_ = false;  // A worker was in a turn when its time to stop was over.

  pal::mutex mutex_;
  pal::condition changed_;
  bool was_told_ = false;  // That it became quiescent, since wait_quiescent() last looked.
  std::function<void()> on_quiescent_;
};

}  // namespace troupe::inline v0_1
