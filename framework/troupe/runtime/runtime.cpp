#include <troupe/runtime/runtime.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <source_location>

#include <troupe/actor/all_actors.hpp>
#include <troupe/net/reactor.hpp>
#include <troupe/runtime/detail/state.hpp>

namespace troupe {

namespace {

std::string place(std::source_location where) {
  if (where.line() == 0) return "?";
  return fmt::format("{}:{}", where.file_name(), where.line());
}

}  // namespace

std::string to_string(const task_report& report) {
  std::string who = report.actor.empty() ? "task spawned at " + report.spawned_at
                                         : "a handler of actor " + report.actor;
  if (report.waits_at.empty()) return fmt::format("{}: {}", who, report.waits_for);
  return fmt::format("{}: waits for {} at {}", who, report.waits_for, report.waits_at);
}

runtime::state::state(const runtime_config& config) {
  scheduler_config inner;
  inner.workers = config.workers;
  inner.clock = config.clock;
  inner.seed = config.seed;
  inner.max_blocking_threads = config.max_blocking_threads;
  inner.deadline = config.deadline;
  inner.thread_name = config.thread_name;
  inner.on_quiescent = [this](std::size_t) { became_quiescent(); };
  if (config.network) inner.io = std::make_unique<net::reactor>();
  scheduler_ = std::make_unique<troupe::scheduler>(std::move(inner));
}

runtime::state::~state() {
  // A thread is still in it, and cannot be ended.
  if (!stop_now(std::chrono::hours{24})) (void)scheduler_.release();
}

void runtime::state::cancel_all() noexcept {
  detail::task_core::for_each_live(
      sched(), [this](detail::task_core& task, const auto&) { task.request_stop_on(sched()); });
}

std::optional<std::size_t> runtime::state::wait_quiescent(time_point deadline) {
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
      bool has_ended = !task.body();
      if (!has_ended && !task.retire_suspended()) all_retired = false;
    });
  }
  sched().wait_for_foreign_threads();
}

bool runtime::state::stop_now(std::chrono::nanoseconds patience) noexcept {
  if (std::exchange(stopped_, true)) return !is_held_;
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
    : state_{std::make_unique<state>(resolve(std::move(config)))} {}

runtime::~runtime() = default;

scheduler& runtime::scheduler() const noexcept { return state_->sched(); }

std::vector<task_report> runtime::tasks() const {
  std::vector<task_report> reports;
  auto handlers = handlers_of_actors(scheduler());
  detail::task_core::for_each_live(
      scheduler(), [&](detail::task_core& task, const detail::task_core::record& seen) {
        if (task.done()) return;  // Only its handle is left.
        task_report report;
        report.spawned_at = place(seen.spawned_at);
        if (auto of = handlers.find(&task); of != handlers.end()) report.actor = of->second;
        report.suspended = seen.suspended;
        if (seen.suspended && seen.what != nullptr) {
          report.waits_for = seen.what;
          report.waits_at = place(seen.where);
        } else {
          report.waits_for = "it waits for nothing: it is running, or ready to";
        }
        reports.push_back(std::move(report));
      });
  return reports;
}

std::vector<task_report> runtime::shut_down(std::chrono::nanoseconds budget) {
  if (scheduler::current() != nullptr) {
    misuse("runtime::shut_down() was called on a worker: call it from the thread that owns it");
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
  if (left != std::size_t{0}) survivors = tasks();
  state_->stop_now(std::chrono::milliseconds{100});
  return survivors;
}

}  // namespace troupe
