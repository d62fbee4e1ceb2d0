#include <troupe/sched/sleep.hpp>

#include <troupe/sched/detail/worker.hpp>

namespace troupe::inline v0_1 {

time_point now() noexcept {
  detail::context* here = detail::current_context();
  return here == nullptr ? pal::real_clock().now() : here->exec->clock().now();
}

namespace detail {

void sleep_operation::start() noexcept {
  time_point present = now();
  if (length_ != duration::min()) {
    // Far beyond any life of a process; spares an overflow for sleep_for(duration::max()).
    constexpr duration longest = std::chrono::hours{24 * 365 * 100};
    deadline_ = present + std::min(length_, longest);
  }
  over_ = deadline_ <= present;
}

bool sleep_operation::enlist(waker key) noexcept {
  worker& here = current_worker();
  node_.deadline = deadline_;
  node_.key = key;
  if (here.wheel().insert(node_)) here.on_earlier_timer();
  return true;
}

}  // namespace detail
}  // namespace troupe::inline v0_1
