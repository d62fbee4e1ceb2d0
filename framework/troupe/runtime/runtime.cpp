#include <troupe/runtime/runtime.hpp>

#include <algorithm>

#include <troupe/actor/all_actors.hpp>
#include <troupe/net/reactor.hpp>
#include <troupe/runtime/detail/state.hpp>

namespace troupe::inline v0_1 {

runtime::state::state(const runtime_config& config, bool is_whole_program) {
  scheduler_config inner;
  inner.workers = config.workers;
  inner.caller_driven = config.caller_driven;
  inner.pin_workers = config.pin_workers;
  inner.budget = config.budget;
  inner.mailbox_capacity = config.mailbox_capacity;
  inner.on_thread_start = config.on_thread_start;
  inner.on_thread_stop = config.on_thread_stop;
  inner.clock = config.clock;
  inner.seed = config.seed;
  inner.max_blocking_threads = config.max_blocking_threads;
  inner.deadline = config.deadline;
  inner.thread_name = config.thread_name;
  inner.on_quiescent = [this](std::size_t) { became_quiescent(); };
  inner.simulated = config.simulated;
  if (config.make_driver) {
    inner.io = config.make_driver();
  } else if (config.network) {
    inner.io = std::make_unique<net::reactor>();
  }
  scheduler_ = std::make_unique<troupe::scheduler>(std::move(inner));
  if (config.stall_threshold > duration::zero() && !config.clock->is_virtual()) {
    stalls_.emplace(*scheduler_, stall_watch::settings{config.stall_threshold,
                                                       is_whole_program && config.handle_signals});
  }
}

runtime::state::~state() {
  // A thread is still in it, and cannot be ended.
  if (!stop_now(std::chrono::hours{24})) (void)scheduler_.release();
}

void runtime::state::cancel_all() noexcept { detail::task_core::stop_all_of(sched()); }

std::optional<std::size_t> runtime::state::wait_quiescent(time_point deadline) {
  while (sched().is_caller_driven()) {
    if (auto live = sched().tasks_if_quiescent()) return live;
    if (pal::real_clock().now() >= deadline) return std::nullopt;
    (void)sched().poll_until(deadline, 1024);
  }
  pal::lock guard{mutex_};
  for (;;) {
    was_told_ = false;
    if (auto live = sched().tasks_if_quiescent()) return live;
    if (!changed_.wait_until(guard, deadline, [this] { return was_told_; })) return std::nullopt;
  }
}

void runtime::state::on_quiescent(std::function<void()> act) {
  pal::lock guard{mutex_};
  on_quiescent_ = std::move(act);
}

void runtime::state::became_quiescent() {
  pal::lock guard{mutex_};
  was_told_ = true;
  if (on_quiescent_) on_quiescent_();
  changed_.notify_all();
}

// A foreign thread that wakes a task, or an actor, claims it first and queues it then. None may be
// between the two when the cells go: each that has not ended is found waiting, or comes in to a
// queue.
void runtime::state::retire_all() noexcept {
  bool all_retired = false;
  while (!all_retired) {
    sched().take_back_all([](job& left) {
      if (retire_actor(left)) return;
      if (detail::task_core* task = detail::task_core::of(left)) task->retire();
    });
    take_back_actor_tasks(sched(), [](job& left) { detail::task_core::of(left)->retire(); });
    all_retired = retire_waiting_actors(sched());
    detail::task_core::for_each_live(sched(), [&](detail::task_core& task, const auto&) {
      if (!task.has_ended() && !task.retire_suspended()) all_retired = false;
    });
  }
  sched().wait_for_foreign_threads();
}

bool runtime::state::stop_now(std::chrono::nanoseconds patience) noexcept {
  if (std::exchange(stopped_, true)) return !is_held_;
  stalls_.reset();
  is_held_ = !sched().stop_workers(pal::real_clock().now() + patience);
  if (is_held_) return false;
  retire_all();
  // Owned children are destroyed by their owners' frames, ended tasks by their handles. Those may
  // lie in other tasks' frames, or outlive this runtime: each finds its cell as after any end.
  detail::task_core::for_each_live(sched(), [](detail::task_core& task, const auto&) {
    if (task.owner() == nullptr && !task.done()) task.abandon();
  });
  abandon_all_actors(sched());
  return true;
}

runtime::runtime(runtime_config config)
    : state_{std::make_unique<state>(resolve(std::move(config)), false)} {}

runtime::runtime(runtime_config config, whole_program)
    : state_{std::make_unique<state>(resolve(std::move(config)), true)} {}

runtime::~runtime() = default;

scheduler& runtime::scheduler() const noexcept { return state_->sched(); }

std::size_t runtime::poll_for(std::chrono::nanoseconds max_wait, std::size_t max_turns) {
  if (!scheduler().is_caller_driven()) {
    misuse(
        "runtime::poll() needs runtime_config::caller_driven: this one has workers of its own "
        "[R02]");
  }
  bool waits = max_wait > std::chrono::nanoseconds::zero();
  time_point until = waits ? pal::real_clock().now() +
                                 std::min<std::chrono::nanoseconds>(max_wait, max_shutdown_budget)
                           : time_point::min();
  return scheduler().poll_until(until, max_turns);
}

std::optional<std::chrono::nanoseconds> runtime::time_to_next_timer() const {
  auto next = scheduler().next_timer();
  if (!next) return std::nullopt;
  return std::max<std::chrono::nanoseconds>(*next - scheduler().clock().now(), duration::zero());
}

void runtime::stop_now() noexcept { (void)state_->stop_now(std::chrono::hours{24}); }

std::vector<task_report> runtime::shut_down(std::chrono::nanoseconds budget) {
  if (scheduler::current() != nullptr) {
    misuse(
        "runtime::shut_down() was called on a worker: call it from the thread that owns it [R03]");
  }
  if (state_->has_stopped()) return {};
  budget = std::min<std::chrono::nanoseconds>(budget, max_shutdown_budget);
  time_point deadline = pal::real_clock().now() + budget;
  state_->stop_intake();
  (void)stop_all_actors(scheduler());
  auto wait_for_end = [&](time_point until) {
    auto left = state_->wait_quiescent(until);
    while (left == std::size_t{0} && stop_all_actors(scheduler()) > 0) {
      left = state_->wait_quiescent(until);
    }
    return left;
  };
  auto left = wait_for_end(deadline - budget / 5);
  if (left != std::size_t{0}) {
    state_->cancel_all();
    (void)stop_all_actors(scheduler());
    left = wait_for_end(deadline);
  }
  std::vector<task_report> survivors;
  if (left != std::size_t{0}) survivors = survivors_of(scheduler());
  state_->stop_now(std::chrono::milliseconds{100});
  return survivors;
}

}  // namespace troupe::inline v0_1
