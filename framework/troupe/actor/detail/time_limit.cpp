#include <troupe/actor/detail/time_limit.hpp>

#include <troupe/sched/scheduler.hpp>

namespace troupe::detail {

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

deadline time_limit::in_force_on(const executor* other) const noexcept {
  if (!deadline_.is_coarse() || other == current_context()->exec) return deadline_;
  return deadline::at(now() + list_->default_limit());
}

}  // namespace troupe::detail
