#include <troupe/actor/detail/time_limit.hpp>

#include <algorithm>

#include <troupe/sched/scheduler.hpp>

namespace troupe::inline v0_1::detail {

alarms& time_limit::alarms_here() noexcept { return scheduler::current()->alarm_list(); }

void time_limit::start_own() noexcept {
  if (wish_.is == ask_limit::kind::none) return;
  timer_.emplace(wish_.length);
  timer_->start();
  // What inherits a long one need not be exact, and is spared the timer.
  bool is_long = wish_.length >= list_->default_limit();
  deadline_ =
      is_long ? deadline::at_sweep(list_->after(wish_.length)) : deadline::at(timer_->deadline());
}

void time_limit::start_timer(time_point when) noexcept {
  timer_.emplace(when);
  timer_->start();
}

void time_limit::begin_sweeps() noexcept { scheduler::current()->begin_sweeps(); }

deadline known_on(deadline limit, const executor* other) noexcept {
  context* here = current_context();
  if (!limit.is_coarse() || (here != nullptr && here->exec == other)) return limit;
  if (here == nullptr) return deadline{};
  return deadline::at(now() + scheduler::current()->alarm_list().default_limit());
}

std::optional<duration> time_until(deadline limit) noexcept {
  if (limit.is_none()) return std::nullopt;
  if (limit.is_coarse()) return scheduler::current()->alarm_list().until(limit.sweep());
  return std::max(limit.time() - now(), duration::zero());
}

bool has_passed(deadline limit) noexcept {
  if (limit.is_coarse()) return scheduler::current()->alarm_list().has_passed(limit.sweep());
  return now() >= limit.time();
}

}  // namespace troupe::inline v0_1::detail
