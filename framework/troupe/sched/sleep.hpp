#pragma once

#include <troupe/pal/clock.hpp>
#include <troupe/sched/detail/timer_wheel.hpp>
#include <troupe/task/operation.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// Waits for a point in time, on the clock of the runtime.
class sleep_operation {
public:
  static constexpr const char* name = "a point in time";

  explicit sleep_operation(duration length) noexcept : length_{length} {}
  explicit sleep_operation(time_point deadline) noexcept { node_.deadline = deadline; }
  sleep_operation(sleep_operation&& other) noexcept
      : length_{other.length_}, is_limit_{other.is_limit_} {
    node_.deadline = other.node_.deadline;
  }
  /// A limit of time, which will hardly be reached and need not be so exact.
  static sleep_operation as_limit(duration length) noexcept {
    sleep_operation made{length};
    made.is_limit_ = true;
    return made;
  }
  static sleep_operation as_limit(time_point deadline) noexcept {
    return sleep_operation{deadline};
  }

  void start() noexcept;
  bool poll() noexcept {
    return over_ || node_.fired.load(std::memory_order_relaxed);  // delist() has come first.
  }
  bool enlist(waker key) noexcept;
  void delist() noexcept {
    if (node_.wheel != nullptr) node_.wheel->erase(node_);
  }
  void take() noexcept {}

  [[nodiscard]] time_point deadline() const noexcept { return node_.deadline; }

private:
  duration length_{duration::min()};  // min: a deadline was given.
  bool over_ = false;
  bool is_limit_ = false;  // And so long that the shelf will do.
  timer_node node_;
};

}  // namespace detail

/// Waits until `length` has passed; not at all when it is zero or less.
/// Cancel: nothing is lost. Bounds: never early; about 131 us late at best (one tick of the wheel).
/// Example: `co_await sleep_for(50ms);`
[[nodiscard]] inline detail::sleep_operation sleep_for(duration length) noexcept {
  return detail::sleep_operation{length};
}

/// Waits until `deadline`, a time of the runtime's clock (now()).
[[nodiscard]] inline detail::sleep_operation sleep_until(time_point deadline) noexcept {
  return detail::sleep_operation{deadline};
}

/// Returns: the time of the current runtime's clock; of the real one outside a runtime.
[[nodiscard]] time_point now() noexcept;

}  // namespace troupe::inline v0_1
