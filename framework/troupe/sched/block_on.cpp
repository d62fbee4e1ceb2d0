#include <troupe/sched/block_on.hpp>

#include <troupe/base/assert.hpp>
#include <troupe/pal/thread.hpp>
#include <troupe/sched/scheduler.hpp>

namespace troupe::inline v0_1::detail {

void foreign_join::on_child_end(task_core&) noexcept {
  ended_.store(true, std::memory_order_release);  // -> wait
  parker_.unpark();
  left_.store(true, std::memory_order_release);  // -> wait: nothing of this is touched any more
}

void foreign_join::wait(executor& where_to) {
  if (simulated_thread* self = simulated_thread::current()) return self->wait_for(left_);
  auto& drives = static_cast<scheduler&>(where_to);
  while (drives.is_caller_driven() && !ended_.load(std::memory_order_acquire)) {
    (void)drives.poll_until(time_point::max(), 1);
  }
  while (!ended_.load(std::memory_order_acquire)) parker_.park(std::nullopt);
  while (!left_.load(std::memory_order_acquire)) pal::spin_hint();
}

foreign_guard::foreign_guard(executor& where_to, std::source_location where) : where_to_{where_to} {
  if (scheduler::current() != nullptr) {
    misuse("block_on() was called on a worker of a runtime: co_await the task instead [S01]",
           where);
  }
  static_cast<scheduler&>(where_to_).add_guard();
}

foreign_guard::~foreign_guard() { static_cast<scheduler&>(where_to_).remove_guard(); }

}  // namespace troupe::inline v0_1::detail
