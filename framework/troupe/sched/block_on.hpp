#pragma once

#include <exception>
#include <source_location>
#include <utility>

#include <troupe/pal/parker.hpp>
#include <troupe/sched/scheduler.hpp>
#include <troupe/task/start.hpp>

namespace troupe {

namespace detail {

/// Lets a foreign thread sleep until one task has ended.
class foreign_join final : public task_owner {
public:
  void on_child_start(task_core&) noexcept override {}
  void on_child_end(task_core&) noexcept override {
    ended_.store(true, std::memory_order_release);  // -> wait
    parker_.unpark();
    left_.store(true, std::memory_order_release);  // -> wait: nothing of this is touched any more
  }
  void wait() noexcept {
    while (!ended_.load(std::memory_order_acquire)) parker_.park(std::nullopt);
    while (!left_.load(std::memory_order_acquire)) pal::spin_hint();
  }

private:
  pal::atomic<bool> ended_{false};
  pal::atomic<bool> left_{false};
  pal::parker parker_;
};

}  // namespace detail

/// Runs `f(args...)` as a task of `where_to` and blocks the calling thread until it has ended.
///
/// Returns: what the task returns. Errors: what it throws.
/// Threads: foreign ones; on a worker it is a misuse, since it would hold up everything there.
template <class F, class... Args>
auto block_on(scheduler& where_to, F&& f, Args&&... args) {
  using value_type = detail::spawned_value<F, Args...>;
  if (scheduler::current() != nullptr) {
    misuse("block_on() was called on a worker of a runtime: co_await the task instead");
  }
  detail::foreign_join ended;
  where_to.add_guard();
  detail::task_core* core = nullptr;
  try {
    core = &detail::start_on(where_to, &ended, std::source_location::current(), std::forward<F>(f),
                             std::forward<Args>(args)...);
  } catch (...) {
    where_to.remove_guard();
    throw;
  }
  ended.wait();
  struct cleanup {
    scheduler& where_to;
    detail::task_core* core;
    ~cleanup() {
      core->destroy();
      where_to.remove_guard();
    }
  } last{where_to, core};
  return detail::take_outcome<value_type>(*core);
}

}  // namespace troupe
