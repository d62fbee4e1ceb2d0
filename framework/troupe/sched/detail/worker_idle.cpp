#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <troupe/sched/detail/capacities.hpp>
#include <troupe/sched/detail/worker.hpp>
#include <troupe/sched/scheduler.hpp>

// What a worker does when it has nothing to run: steal, watch the others, sleep.

namespace troupe::inline v0_1::detail {

namespace {

using namespace std::chrono_literals;

constexpr duration second_look = 30us;  // After the first one, at what lies behind a turn.

}  // namespace

std::size_t worker::run_ready(std::size_t most) {
  begin_running();
  (void)owner_.idle_.leave(*this);
  owner_.on_departure();
  in_driver_.store(false, std::memory_order_relaxed);
  std::size_t turns = 0;
  bool has_looked = false;
  while (turns < most && !owner_.stopping()) {
    if (job* next = next_of_all()) {
      run_turn(*next);
      ++turns;
      has_looked = false;
    } else if (!has_looked) {
      has_looked = true;
      run_posted();
      owner_.advance_all(owner_.clock().now());
      poll_driver();
    } else if (go_idle()) {
      break;
    } else {
      has_looked = false;
    }
  }
  end_running();
  return turns;
}

// Returns: false when there is something to do after all.
bool worker::go_idle() {
  parks_.increment();
  wheel_.clear_shelf(owner_.clock());
  in_driver_.store(true, std::memory_order_relaxed);  // For unpark: the driver tells the caller.
  idle_set::entry entered = owner_.idle_.enter(*this);
  bool has_more = !owner_.injected_.empty() || !posted_.empty();
  if (!has_more && !owner_.on_all_idle(entered) && !has_work()) return true;
  in_driver_.store(false, std::memory_order_relaxed);
  (void)owner_.idle_.leave(*this);
  owner_.on_departure();
  return false;
}

void worker::wait_for_work(std::optional<time_point> until) {
  begin_running();
  if (auto next = owner_.next_timer(); next && (!until || *next < *until)) until = next;
  {
    pal::lock attending{owner_.driver_mutex_};
    wait_in_driver(until);
  }
  end_running();
}

void worker::find_work() {
  run_posted();
  // Also what a posted job has just woken: idle_set R3.
  bool found = has_work() || steal_from_all();
  if (!found) {
    park();
    found = has_work();
  }
  if (found) pass_call_on();
  restart_measure();
}

// What this worker was woken for would wait behind what it runs first now. idle_set R6
void worker::pass_call_on() noexcept {
  if (!owner_.injected_.empty()) owner_.wake_for(wake_reason::work);
  if (take_call_to_watch()) watch_if_unwatched();
}

// Returns: whether this worker was woken to watch, and has not done so. idle_set R6
bool worker::take_call_to_watch() noexcept {
  return std::exchange(wake_reason_, wake_reason::work) == wake_reason::watch;
}

bool worker::has_work() const noexcept {
  return queue_.size() != 0 || slot_.look() != nullptr || !posted_.empty();
}

std::size_t worker::steal_half(worker& victim) noexcept {
  std::array<job*, run_queue::capacity / 2> taken;
  std::uint32_t count = victim.queue_.take_half(taken);
  run_queue::prefetch_first(std::span{taken}.first(count));
  for (std::uint32_t i = 0; i < count; ++i) {
    push_quietly(*taken[i]);
    stolen_.increment();
  }
  return count;
}

// Fine-grained jobs are left where they are until there is a backlog of them.
bool worker::steal_from_all() noexcept {
  std::size_t count = owner_.worker_count();
  if (count == 1) return false;  // Nor is a random number drawn: a seed then means one order.
  std::size_t first = random_.below(count);
  for (std::size_t i = 0; i < count; ++i) {
    worker& victim = *owner_.workers_[(first + i) % count];
    if (&victim == this) continue;
    std::uint32_t queued = victim.queue_.size();
    if (queued == 0 || (!victim.is_coarse() && queued < owner_.worthy_backlog_)) continue;
    if (steal_half(victim) > 0) return true;
  }
  return false;
}

// The turn of a worker that was woken to steal.
void worker::search() noexcept {
  bool anything_queued = false;
  bool found = steal_from_all();
  // A victim may be at the start of a long turn, with the job it has just woken in its slot.
  if (!found && look_at_others(anything_queued)) found = take_what_is_due();
  owner_.idle_.end_search();
  // One thief wakes the next while there is more than it took.
  if (found && queue_.size() >= owner_.worthy_backlog_) owner_.wake_for(wake_reason::search);
}

/// Sleeps until there is something to do. The roles of sleeping workers:
///
///   driver   the one that holds the driver lock waits in the driver, for I/O and for the earliest
///            timer of all workers
///   watcher  while others run, one sleeper looks at them every 500 us, for jobs, timers and I/O
///            that lie behind a long turn, one that does not end while it looks; it stops after
///            eight looks at empty queues (then: driver, if nobody is)
///   others   sleep until they are picked
///
/// A lost race costs no more than a look: what a running worker pushes it will run itself, who
/// leaves this state while nobody watches wakes a watcher, and who was woken for something but runs
/// something else first passes the call on (idle_set R6).
void worker::park() {
  parks_.increment();
  wheel_.clear_shelf(owner_.clock());  // Nobody else can, and what lies there sleeps too long.
  bool has_duty = take_call_to_watch();
  idle_set::entry entered = owner_.idle_.enter(*this);
  bool woke_itself = !owner_.injected_.empty() || !posted_.empty();
  if (!woke_itself) woke_itself = look_if_all_idle(entered);
  bool watching = false;
  bool may_watch = true;
  bool found = false;
  bool attended = false;
  int empty_looks = 0;
  std::uint64_t driver_uses = 0;
  while (!woke_itself && !owner_.stopping() && owner_.idle_.contains(*this)) {
    if (!watching && may_watch && owner_.idle_.idle_count() < owner_.worker_count()) {
      watching = owner_.idle_.begin_watch();
      empty_looks = 0;
    }
    // A driver that nobody has used since the last look is behind a long turn: adopt it.
    std::uint64_t uses = owner_.driver_uses_.load(std::memory_order_relaxed);
    attended = sleep(watching, uses == driver_uses);
    driver_uses = attended ? uses + 1 : uses;
    if (has_work()) break;
    // What the driver has put here may have been stolen, and have run, before this worker came to
    // look: who was the last to go idle still saw it in the slot, and has told nobody. idle_set R5
    if (attended && look_if_all_idle(owner_.idle_.look())) break;
    may_watch = true;
    if (!watching) continue;
    bool anything_queued = false;
    found = look_at_others(anything_queued);
    if (found) break;
    empty_looks = anything_queued ? 0 : empty_looks + 1;
    if (empty_looks >= max_empty_looks && give_up_watching()) {
      watching = may_watch = false;  // Sleeps as a driver or plainly, until something wakes it.
    }
  }
  has_duty |= watching || attended;
  if (watching) owner_.idle_.end_watch();
  bool left_by_itself = owner_.idle_.leave(*this);
  owner_.on_departure();
  if (found) take_what_is_due();  // Not before: idle_set R3.
  if (left_by_itself) {           // What it was woken with is in its queue.
    if (queue_.size() > 1) owner_.wake_for(wake_reason::search);
    watch_if_unwatched();
    return;
  }
  // Who was picked for its duty alone does it again at once; another one's goes to the next.
  if (has_duty && wake_reason_ != wake_reason::watch) watch_if_unwatched();
  if (wake_reason_ == wake_reason::search) search();
}

// Returns: true when the clock has gone on.
bool worker::look_if_all_idle(const idle_set::entry& seen) {
  return seen.idle == owner_.worker_count() && owner_.on_all_idle(seen);
}

// Returns: true when this worker attended the driver meanwhile.
bool worker::sleep(bool watching, bool adopt_driver) {
  std::optional<time_point> until = owner_.next_timer();
  if (watching) {
    time_point look = pal::real_clock().now() + owner_.watch_interval_;
    if (!until || look < *until) until = look;
  }
  // Who has a core for itself sees to I/O at once; else those that run do, as long as they get on.
  bool others_run = owner_.idle_.idle_count() < owner_.worker_count();
  bool at_once = !watching && !(owner_.is_crowded_ && others_run);
  if (at_once || adopt_driver) {
    pal::lock attending{owner_.driver_mutex_, std::try_to_lock};
    if (attending) {
      wait_in_driver(until);
      return true;
    }
  }
  if (!watching) {
    // Who waits in the driver sees to all timers: tell it about one that is earlier than it knows.
    duration::rep attended = owner_.driver_until_.load(std::memory_order_seq_cst);
    if (until && until->time_since_epoch().count() < attended) owner_.io().interrupt();
    until.reset();
    // A busy worker has just looked in, and will go: then somebody has to wait there.
    if (attended == duration::min().count())
      until = pal::real_clock().now() + owner_.watch_interval_;
  }
  parker_.park(until);
  if (watching) owner_.advance_all(owner_.clock().now());
  return false;
}

void worker::wait_in_driver(std::optional<time_point> until) {
  owner_.driver_uses_.fetch_add(1, std::memory_order_relaxed);
  in_driver_.store(true, std::memory_order_relaxed);
  duration::rep limit = until ? until->time_since_epoch().count() : duration::max().count();
  owner_.driver_until_.store(limit, std::memory_order_seq_cst);  // -> sleep
  // A timer armed before its worker saw that store is seen by this second look.
  if (auto next = owner_.next_timer(); next && (!until || *next < *until)) until = next;
  // Whoever picks this worker from now on sees in_driver_, and whoever did before is seen here: by
  // the idle set's lock. A stop takes that lock, too, between stopping_ and its wake-ups.
  if (owner_.idle_.contains(*this) && !owner_.stopping()) owner_.io().wait(until);
  owner_.driver_until_.store(duration::min().count(), std::memory_order_relaxed);
  in_driver_.store(false, std::memory_order_relaxed);
  owner_.advance_all(owner_.clock().now());
}

// Returns: false when something has come in that saw the watch still on: it goes on. idle_set R4
bool worker::give_up_watching() noexcept {
  owner_.idle_.end_watch();
  pal::heavy_barrier();
  for (auto& other : owner_.workers_) {
    if (other.get() != this && other->has_work()) return !owner_.idle_.begin_watch();
  }
  return true;
}

// Looks twice: what lies there both times, behind the same turn, is due to be taken. Returns:
// whether something is.
bool worker::look_at_others(bool& anything_queued) noexcept {
  bool any_waits = false;
  for (auto& other : owner_.workers_) {
    sight& seen = sights_[other->index_];
    seen = sight{};
    if (other.get() == this) continue;
    seen.turns = other->turn_count();
    seen.slot = other->slot_.look();
    seen.queued = other->queue_.size() != 0;
    any_waits |= seen.queued || seen.slot != nullptr;
  }
  anything_queued |= any_waits;
  if (!any_waits) return false;
  // Asleep and not spinning: the other worker may need this core to get on.
  parker_.park(pal::real_clock().now() + second_look);
  bool found = false;
  for (auto& other : owner_.workers_) {
    if (other.get() != this) found |= look_again(*other, sights_[other->index_]);
  }
  return found;
}

bool worker::look_again(worker& other, sight& seen) noexcept {
  if (other.turn_count() != seen.turns) {
    seen.half_is_due =
        other.queue_.size() >= owner_.worthy_backlog_;  // It gets on: only a backlog is.
  } else {
    seen.half_is_due = seen.queued && other.queue_.size() != 0;
    seen.slot_is_due = seen.slot != nullptr && seen.slot == other.slot_.look();
  }
  return seen.half_is_due || seen.slot_is_due;
}

bool worker::take_what_is_due() noexcept {
  bool found = false;
  for (auto& other : owner_.workers_) {
    sight& seen = sights_[other->index_];
    if (seen.half_is_due) found |= steal_half(*other) > 0;
    if (!seen.slot_is_due) continue;
    if (job* lying = other->slot_.steal(seen.slot)) {
      push_quietly(*lying);
      stolen_.increment();
      found = true;
    }
  }
  return found;
}

}  // namespace troupe::inline v0_1::detail
