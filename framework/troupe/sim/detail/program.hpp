#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include <troupe/pal/clock.hpp>
#include <troupe/sched/scheduler.hpp>
#include <troupe/task/task.hpp>

namespace troupe::inline v0_1::sim::detail {

/// What troupe::run() does around a main task, in steps that a world takes: its end, and a graceful
/// stop.
class program final : public troupe::detail::task_owner {
public:
  /// Starts `main`. Requires: both outlive the program.
  program(scheduler& where, const std::function<task<int>()>& main);
  program(const program&) = delete;
  program& operator=(const program&) = delete;
  /// Requires: the runtime gives no turn any more.
  ~program();

  /// To be called when the runtime has nothing ready. Returns: the exit code, when the program has
  /// ended.
  [[nodiscard]] std::optional<int> look_up();

  /// Begins what SIGTERM begins; when its deadline has passed, look_up() ends the program.
  void stop(duration budget);
  /// Returns: when look_up() has to be called, whatever is ready then.
  [[nodiscard]] std::optional<time_point> next_deadline() const noexcept { return until_; }

  void on_child_start(troupe::detail::task_core& main) noexcept override { main_ = &main; }
  void on_child_end(troupe::detail::task_core& main) noexcept override;

private:
  // A graceful stop: first main, then the actors, then all tasks.
  enum class phase : unsigned char { running, stopping_main, stopping_actors, stopping_all };

  void stop_rest() noexcept;
  [[nodiscard]] int end_stuck() const;

  scheduler& where_;
  phase phase_ = phase::running;
  std::optional<time_point> until_;  // Of the phase.
  time_point deadline_{};
  troupe::detail::task_core* main_ = nullptr;  // Null once main has ended.
  int code_ = 0;
};

}  // namespace troupe::inline v0_1::sim::detail
