#include <troupe/sched/scheduler.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <troupe/base/assert.hpp>
#include <troupe/base/log.hpp>
#include <troupe/sched/blocking_pool.hpp>
#include <troupe/sched/detail/park_driver.hpp>
#include <troupe/sched/detail/worker.hpp>

namespace troupe::inline v0_1 {

using detail::wake_reason;
using detail::worker;

namespace {

std::optional<time_point> earlier(std::optional<time_point> a, std::optional<time_point> b) {
  return !a || (b && *b < *a) ? b : a;
}

}  // namespace

scheduler::scheduler(scheduler_config config)
    : config_{std::move(config)},
      is_crowded_{config_.workers > pal::usable_cores()},
      idle_{config_.workers} {
  TROUPE_ASSERT(config_.workers >= 1 && config_.workers <= 1024);
  TROUPE_ASSERT(!(config_.seed || config_.caller_driven) || config_.workers == 1);
  if (!config_.io) config_.io = std::make_unique<detail::park_driver>();
  blocking_ = std::make_unique<blocking_pool>(*this, config_.max_blocking_threads);
  for (std::size_t i = 0; i < config_.workers; ++i) {
    workers_.push_back(std::make_unique<worker>(*this, i, config_.seed.value_or(i + 1)));
  }
  if (config_.caller_driven) return;
  running_threads_.store(workers_.size(), std::memory_order_relaxed);
  try {
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      threads_.emplace_back([this, i] { run_thread(i); });
    }
  } catch (...) {
    stop_workers();  // Those that have been made.
    throw;
  }
}

void scheduler::run_thread(std::size_t index) {
  pal::set_thread_name(config_.thread_name + "-" + std::to_string(index));
  pal::wake_up_in_time();
  if (config_.pin_workers && !pal::pin_to_core(index)) {
    log(log_level::warning, "a worker could not be pinned to its core: it runs on all");
  }
  if (config_.on_thread_start) config_.on_thread_start(index);
  workers_[index]->run();
  if (config_.on_thread_stop) config_.on_thread_stop(index);
  running_threads_.fetch_sub(1, std::memory_order_relaxed);
  thread_ended_.unpark();
}

scheduler::~scheduler() {
  stop_workers();
  evict_residents();
}

bool scheduler::stop_workers(std::optional<time_point> until) {
  stopping_.store(true, std::memory_order_relaxed);
  while (worker* sleeper = idle_.pick(wake_reason::work)) sleeper->unpark();
  if (until) {
    while (running_threads_.load(std::memory_order_relaxed) != 0) {  // What they did, join() shows.
      if (pal::real_clock().now() >= *until) {
        for (auto& thread : threads_) {
          if (thread.joinable()) thread.detach();
        }
        threads_.clear();
        return false;
      }
      thread_ended_.park(*until);
    }
  }
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  if (!std::exchange(residents_know_, true)) tell_residents();
  return true;
}

std::size_t scheduler::poll_until(time_point until, std::size_t most) {
  TROUPE_ASSERT(config_.caller_driven);
  if (current() != nullptr)
    misuse("poll() was called inside a task: only the host's loop may [S02]");
  if (polled_.exchange(true, std::memory_order_acquire)) {  // <- last_step
    misuse("two threads are in poll() of one runtime at once: one of them has to drive it [S03]");
  }
  struct last_step {
    pal::atomic<bool>& polled;
    ~last_step() { polled.store(false, std::memory_order_release); }  // -> poll_until
  } last{polled_};
  worker& only = *workers_.front();
  std::size_t turns = only.run_ready(most);
  if (turns != 0 || stopping() || pal::real_clock().now() >= until) return turns;
  only.wait_for_work(until);
  return only.run_ready(most);
}

void scheduler::wait_while_idle() noexcept {
  while (!watch_ended_.load(std::memory_order_acquire)) {  // <- end_watch
    watch_sleeps_.store(true, std::memory_order_relaxed);
    // The idle set's lock puts this look before or after the departure of each worker.
    if (idle_.look().idle < workers_.size()) break;
    watch_.park(std::nullopt);
  }
  watch_sleeps_.store(false, std::memory_order_relaxed);
}

void scheduler::ring_watch() noexcept {
  if (watch_sleeps_.exchange(false, std::memory_order_relaxed)) watch_.unpark();
}

void scheduler::end_watch() noexcept {
  watch_ended_.store(true, std::memory_order_release);  // -> wait_while_idle
  watch_.unpark();
}

worker_sight scheduler::look_at(std::size_t index) const noexcept {
  return workers_[index]->look();
}

void scheduler::take_back_all(const std::function<void(job&)>& act) {
  auto settle = [&](job& left) {
    if (!give_to_resident(left)) act(left);
  };
  std::array<job*, 1> outside;
  while (injected_.pop(outside) != 0) settle(*outside[0]);
  for (auto& each : workers_) {
    while (job* left = each->take_back()) settle(*left);
  }
}

void scheduler::wait_for_foreign_threads() const noexcept {
  while (foreign_visits_.load(std::memory_order_acquire) != 0) pal::yield_thread();
}

void scheduler::inject(job& ready) noexcept {
  foreign_visit visit{*this};
  injected_.push(ready);
  wake_for(wake_reason::work);
}

void scheduler::schedule(job& ready) noexcept {
  detail::context* here = detail::current_context();
  if (here != nullptr && here->exec == this) {
    static_cast<worker*>(here)->hand_off(ready);
  } else {
    inject(ready);
  }
}

void scheduler::schedule_back(job& ready) noexcept {
  detail::context* here = detail::current_context();
  if (here != nullptr && here->exec == this) {
    static_cast<worker*>(here)->push_back(ready);
  } else {
    inject(ready);
  }
}

void scheduler::count_foreign_spawn() noexcept {
  foreign_spawned_.fetch_add(1, std::memory_order_seq_cst);
}

void scheduler::post_to(std::size_t index, job& pinned) noexcept {
  foreign_visit visit{*this};
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

std::size_t scheduler::current_worker() noexcept { return detail::current_worker().index(); }

std::optional<time_point> scheduler::next_timer() const noexcept {
  if (clock().is_virtual()) return std::nullopt;  // No real time to wait for; see on_all_idle().
  return earlier(earliest_timer(), alarms_.next());
}

std::optional<time_point> scheduler::next_due() const noexcept {
  std::optional<time_point> next = earliest_timer();
  return or_next_sweep(next, live_tasks());
}

// Without tasks nobody has an alarm: a sweep that is due must not hold up the end.
std::optional<time_point> scheduler::or_next_sweep(std::optional<time_point> timer,
                                                   std::size_t live) const noexcept {
  return live > 0 ? earlier(timer, alarms_.next()) : timer;
}

std::optional<time_point> scheduler::earliest_timer() const noexcept {
  std::optional<time_point> earliest;
  for (auto& each : workers_) {
    earliest = earlier(earliest, each->wheel().next());
  }
  return earliest;
}

void scheduler::begin_sweeps() noexcept {
  if (alarms_.begin(clock().now())) detail::current_worker().on_earlier_timer();
}

void scheduler::advance_all(time_point now) noexcept {
  worker& here = detail::current_worker();
  if (alarms_.due(now)) alarms_.sweep(*this, now);
  for (auto& each : workers_) {
    if (each->wheel().due(now)) {
      each->wheel().advance(now, here.room_for_timers(), each.get() == &here);
    }
  }
}

scheduler::outlook scheduler::look_around(const detail::idle_set::entry& seen) noexcept {
  outlook found;
  // Blocking work and guards are looked at before the injected jobs: a foreign thread injects what
  // it has to, and only then counts as gone.
  found.blocking = blocking_->pending() != 0;
  found.guarded = guards_.load(std::memory_order_seq_cst) != 0;
  if (!injected_.empty()) return found;
  std::uint64_t waits = 0, wakes = 0;
  for (auto& each : workers_) {
    wakes += each->io_wakes.value();
    waits += each->io_waits.value();
  }
  found.io = waits != wakes;
  found.next = earliest_timer();
  found.live = live_tasks();
  found.next = or_next_sweep(found.next, found.live);
  // What a timer or the driver has just made ready is seen with its worker, or its worker is seen
  // to have departed: idle_set R3.
  for (auto& each : workers_) {
    if (each->has_work()) return found;
  }
  found.is_still = seen.idle == workers_.size() && idle_.look().departures == seen.departures;
  return found;
}

std::optional<std::size_t> scheduler::tasks_if_quiescent() noexcept {
  outlook found = look_around(idle_.look());
  if (!found.is_quiescent()) return std::nullopt;
  return found.live;
}

bool scheduler::on_all_idle(const detail::idle_set::entry& entered) {
  outlook found = look_around(entered);
  if (!found.is_still) return false;
  if (found.next) {
    if (found.blocking || found.io || !clock().jump_to(*found.next)) return false;
    advance_all(clock().now());
    return true;
  }
  if (found.is_quiescent()) config_.on_quiescent(found.live);
  return false;
}

}  // namespace troupe::inline v0_1
