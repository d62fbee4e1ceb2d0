#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include <troupe/sched/alarms.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/executor.hpp>

namespace troupe::inline v0_1 {

/// How long a request may take. Without more it inherits the deadline of the request that is being
/// handled, else it has the runtime's default; both are up to a fortieth late, never early.
struct ask_limit {
  enum class kind : unsigned char { inherited, own, none };
  kind is = kind::inherited;
  duration length{};
};

/// A limit of its own, exact as timers are: `ask(total{}, within(50ms))`.
struct within : ask_limit {
  explicit within(duration limit) noexcept : ask_limit{kind::own, limit} {}
};

/// It may take for ever. What is asked while it is handled gets the runtime's default again.
inline constexpr ask_limit no_deadline{ask_limit::kind::none, {}};

namespace detail {

class actor_block;

/// By when a request has to be answered; one word, kept in it for who asks on while handling it.
class deadline {
public:
  deadline() = default;
  static deadline at(time_point when) noexcept {
    return deadline{static_cast<std::uint64_t>(when.time_since_epoch().count()) << 1U};
  }
  static deadline at_sweep(std::uint32_t sweep) noexcept {
    return deadline{(std::uint64_t{sweep} << 1U) | 1U};
  }
  [[nodiscard]] bool is_none() const noexcept { return bits_ == 0; }
  [[nodiscard]] bool is_coarse() const noexcept { return (bits_ & 1U) != 0; }
  [[nodiscard]] std::uint32_t sweep() const noexcept {
    return static_cast<std::uint32_t>(bits_ >> 1U);
  }
  [[nodiscard]] time_point time() const noexcept {
    return time_point{duration{static_cast<duration::rep>(bits_ >> 1U)}};
  }

private:
  explicit deadline(std::uint64_t bits) noexcept : bits_{bits} {}

  std::uint64_t bits_ = 0;  // Zero: none. The lowest bit: counted in sweeps. Else in ns.
};

/// Returns: `limit`, which the runtime of this thread counts, as it is known on `other`; on a
/// thread of no runtime none, if it is coarse.
[[nodiscard]] deadline known_on(deadline limit, const executor* other) noexcept;
/// Returns: whether `limit` has passed on the runtime of this thread. Requires: on a worker.
[[nodiscard]] bool has_passed(deadline limit) noexcept;
/// Returns: how long it is until `limit`, zero when that has passed; nothing when there is none.
/// Requires: on a worker.
[[nodiscard]] std::optional<duration> time_until(deadline limit) noexcept;

/// The deadline in force for one wait: its own, exact as timers are; else the one of the request
/// that is being handled; else the runtime's default, which is coarse.
class time_limit {
public:
  explicit time_limit(ask_limit wish) noexcept : wish_{wish} {}
  time_limit(time_limit&& other) noexcept : wish_{other.wish_} {}  // Before it has started.

  /// Begins to count; `handled` is the deadline of the request that is being handled, if any.
  void start(deadline handled) noexcept {
    list_ = &alarms_here();
    if (wish_.is != ask_limit::kind::inherited) return start_own();
    deadline_ = handled.is_none() ? deadline::at_sweep(list_->after_default()) : handled;
    if (!deadline_.is_coarse()) start_timer(deadline_.time());
  }
  [[nodiscard]] bool has_started() const noexcept { return list_ != nullptr; }
  /// Returns: true when this wait has a limit of its own, which is exact.
  [[nodiscard]] bool is_own() const noexcept { return wish_.is == ask_limit::kind::own; }
  /// Returns: the deadline as it is known on `other`, which may be another runtime.
  [[nodiscard]] deadline in_force_on(const executor* other) const noexcept {
    return deadline_.is_coarse() ? known_on(deadline_, other) : deadline_;
  }
  [[nodiscard]] bool is_over() noexcept {
    if (timer_) return timer_->poll();
    return deadline_.is_coarse() && list_->has_passed(deadline_.sweep());
  }
  /// Has `waiting` woken at the deadline. With `looks_again` also at the next sweep. What counts in
  /// sweeps needs them to go on, also where only those who inherit it do.
  [[nodiscard]] bool enlist(task_core& waiting, waker key, bool looks_again) noexcept {
    if (timer_ && !timer_->enlist(key)) return false;
    bool is_swept = deadline_.is_coarse();
    if (!looks_again && !is_swept) return true;
    alarmed_ = &waiting;
    std::uint32_t sweep = looks_again ? list_->current() + 1 : deadline_.sweep();
    if (list_->set(waiting, sweep)) begin_sweeps();
    return true;
  }
  void delist() noexcept {
    if (timer_) timer_->delist();
    if (alarmed_ != nullptr) std::exchange(alarmed_, nullptr)->clear_alarm();
  }

private:
  static alarms& alarms_here() noexcept;
  void start_own() noexcept;
  void start_timer(time_point when) noexcept;
  void begin_sweeps() noexcept;

  ask_limit wish_;
  deadline deadline_;
  alarms* list_ = nullptr;
  std::optional<sleep_operation> timer_;
  task_core* alarmed_ = nullptr;
};

}  // namespace detail
}  // namespace troupe::inline v0_1
