#include <troupe/sched/scheduler.hpp>

#include <algorithm>
#include <utility>

#include <troupe/base/assert.hpp>
#include <troupe/sched/blocking_pool.hpp>
#include <troupe/sched/detail/park_driver.hpp>
#include <troupe/sched/detail/worker.hpp>

namespace troupe {

using detail::wake_reason;
using detail::worker;

scheduler::scheduler(scheduler_config config) : config_{std::move(config)}, idle_{config_.workers} {
  TROUPE_ASSERT(config_.workers >= 1 && config_.workers <= 1024);
  TROUPE_ASSERT(!config_.seed || config_.workers == 1);
  if (!config_.io) config_.io = std::make_unique<detail::park_driver>();
  blocking_ = std::make_unique<blocking_pool>(*this, config_.max_blocking_threads);
  for (std::size_t i = 0; i < config_.workers; ++i) {
    workers_.push_back(std::make_unique<worker>(*this, i, config_.seed.value_or(i + 1)));
  }
  running_threads_.store(workers_.size(), std::memory_order_relaxed);
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    threads_.emplace_back([this, i] {
      pal::set_thread_name(config_.thread_name + "-" + std::to_string(i));
      workers_[i]->run();
      running_threads_.fetch_sub(1, std::memory_order_release);
      running_threads_.notify_all();
    });
  }
}

scheduler::~scheduler() { stop_workers(); }

bool scheduler::stop_workers(std::optional<time_point> until) {
  stopping_.store(true, std::memory_order_release);
  while (worker* sleeper = idle_.pick(wake_reason::work)) sleeper->unpark();
  for (auto& each : workers_) each->unpark();
  if (until) {
    while (running_threads_.load(std::memory_order_acquire) != 0) {
      if (pal::real_clock().now() >= *until) {
        for (auto& thread : threads_) {
          if (thread.joinable()) thread.detach();
        }
        threads_.clear();
        return false;
      }
      pal::spin_hint();
    }
  }
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  return true;
}

void scheduler::schedule(job& ready) noexcept {
  detail::context* here = detail::current_context();
  if (here != nullptr && here->exec == this) {
    static_cast<worker*>(here)->hand_off(ready);
  } else {
    injected_.push(ready);
    wake_for(wake_reason::work);
  }
}

void scheduler::schedule_back(job& ready) noexcept {
  detail::context* here = detail::current_context();
  if (here != nullptr && here->exec == this) {
    static_cast<worker*>(here)->push_back(ready);
  } else {
    injected_.push(ready);
    wake_for(wake_reason::work);
  }
}

void scheduler::count_foreign_spawn() noexcept {
  foreign_spawned_.fetch_add(1, std::memory_order_seq_cst);
}

void scheduler::post_to(std::size_t index, job& pinned) noexcept {
  workers_[index]->post(pinned);
  if (idle_.pick_this(*workers_[index], wake_reason::work)) workers_[index]->unpark();
}

void scheduler::wake_for(wake_reason reason) noexcept {
  if (idle_.idle_count_ordered() == 0) return;
  worker* picked = reason == wake_reason::search ? idle_.pick_thief() : idle_.pick(reason);
  if (picked != nullptr) picked->unpark();
}

void scheduler::add_guard() noexcept { guards_.fetch_add(1, std::memory_order_relaxed); }

void scheduler::remove_guard() noexcept {
  // -> on_all_idle: what the guard's holder injected is seen by who sees the guard gone. A virtual
  // clock may have waited for blocking work to end, although other guards are left.
  bool was_last = guards_.fetch_sub(1, std::memory_order_seq_cst) == 1;
  if (was_last || clock().is_virtual()) wake_for(wake_reason::work);
}

scheduler_counters scheduler::counters() const noexcept {
  scheduler_counters sum;
  for (auto& each : workers_) each->add_to(sum);
  sum.spawned += foreign_spawned_.load(std::memory_order_relaxed);
  return sum;
}

std::size_t scheduler::live_tasks() const noexcept {
  scheduler_counters sum = counters();
  return static_cast<std::size_t>(sum.spawned - sum.ended);
}

scheduler* scheduler::current() noexcept {
  detail::context* here = detail::current_context();
  return here == nullptr ? nullptr : &static_cast<worker*>(here)->owner();
}

std::optional<time_point> scheduler::next_timer() const noexcept {
  if (clock().is_virtual()) return std::nullopt;  // No real time to wait for; see on_all_idle().
  return earliest_timer();
}

std::optional<time_point> scheduler::earliest_timer() const noexcept {
  std::optional<time_point> earliest;
  for (auto& each : workers_) {
    auto next = each->wheel().next();
    if (next && (!earliest || *next < *earliest)) earliest = next;
  }
  return earliest;
}

void scheduler::advance_all(time_point now) noexcept {
  for (auto& each : workers_) {
    if (each->wheel().due(now)) each->wheel().advance(now);
  }
}

bool scheduler::on_all_idle() {
  // Blocking work and guards are looked at before the injected jobs: a foreign thread injects what
  // it has to, and only then counts as gone.
  bool blocking = blocking_->pending() != 0;
  bool guarded = guards_.load(std::memory_order_seq_cst) != 0;
  if (!injected_.empty()) return false;
  std::uint64_t waits = 0, wakes = 0;
  for (auto& each : workers_) {
    wakes += each->io_wakes.value();
    waits += each->io_waits.value();
  }
  if (auto next = earliest_timer()) {
    if (blocking || waits != wakes || !clock().jump_to(*next)) return false;
    advance_all(clock().now());
    return true;
  }
  if (!guarded && waits == wakes) config_.on_quiescent(live_tasks());
  return false;
}

}  // namespace troupe
