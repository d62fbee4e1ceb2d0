#include <troupe/sched/sleep.hpp>

#include <troupe/sched/detail/worker.hpp>
#include <troupe/sched/simulation.hpp>

namespace troupe::inline v0_1 {

time_point now() noexcept {
  if (detail::context* here = detail::current_context()) return here->exec->clock().now();
  simulated_thread* simulated = simulated_thread::current();
  return simulated == nullptr ? pal::real_clock().now() : simulated->clock().now();
}

namespace detail {

namespace {

// Far beyond any life of a process; spares an overflow for sleep_for(duration::max()).
constexpr duration longest = std::chrono::hours{24 * 365 * 100};
// The time that a timer may spend on the shelf is a hundredth of it.
constexpr duration least_on_shelf = 100 * timer_wheel::max_on_shelf;

}  // namespace

void sleep_operation::start() noexcept {
  is_limit_ = is_limit_ && length_ >= least_on_shelf && current_worker().wheel().has_shelf();
  if (is_limit_) return;
  time_point present = now();
  if (length_ != duration::min()) node_.deadline = present + std::min(length_, longest);
  over_ = node_.deadline <= present;
}

bool sleep_operation::enlist(waker key) noexcept {
  worker& here = current_worker();
  timer_wheel& wheel = here.wheel();
  node_.key = key;
  bool is_earliest = false;
  if (is_limit_) {
    is_limit_ = false;  // A wait that goes on has a deadline: it does not begin anew each time.
    is_earliest = wheel.shelve(node_, std::min(length_, longest), here.exec->clock());
  } else {
    if (node_.deadline == time_point::min()) node_.deadline = now() + std::min(length_, longest);
    is_earliest = wheel.insert(node_);
  }
  if (is_earliest) here.on_earlier_timer();
  return true;
}

}  // namespace detail
}  // namespace troupe::inline v0_1
