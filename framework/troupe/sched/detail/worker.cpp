#include <troupe/sched/detail/worker.hpp>

#include <algorithm>
#include <array>
#include <span>

#include <troupe/base/assert.hpp>
#include <troupe/sched/scheduler.hpp>

namespace troupe::inline v0_1::detail {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t inject_interval = 61;  // Turns between two looks at outside jobs.
// At least so many come in then: where more tasks are busy than the queue holds, those that lie
// outside are no newer than those in it.
constexpr std::uint32_t inject_share = inject_interval / 8;
constexpr std::uint32_t max_handoffs = 64;        // Turns in a row that the slot may take.
constexpr duration max_poll_gap = 100us;          // Timers and I/O are looked at this often,
constexpr std::uint32_t max_turns_measured = 61;  // or after so many turns.
constexpr std::uint32_t inject_batch = 64;        // Outside jobs at a time.
// What the queue is filled up to from outside, by other threads, timers and the driver: what turns
// make ready finds room behind that.
constexpr std::uint32_t fill_limit = run_queue::capacity - inject_batch;

}  // namespace

worker::worker(scheduler& owner, std::size_t index, std::uint64_t seed)
    : owner_{owner},
      alarms_{owner.alarm_list()},
      index_{index},
      wheel_{owner.clock().now(), !owner.clock().is_virtual(), owner.config_.simulated != nullptr},
      random_{seed},
      numbers_{owner.config_.seed ? pal::random{~seed}.next() : pal::entropy()},
      sights_(owner.config_.workers),
      coarse_{!owner.is_crowded_} {
  exec = &owner;
  full_budget = owner.config_.budget;
  takes_turns_in = !owner.config_.seed;
  if (owner.config_.seed) rotation = static_cast<std::uint32_t>(random_.next());
  counts_ticks = pal::has_ticks && &owner.clock() == &pal::real_clock();
}

void worker::begin_running() noexcept {
  current_context_pointer = this;
  thread_ = pal::this_thread();
  restart_measure();
}

void worker::end_running() noexcept { current_context_pointer = nullptr; }

void worker::run() {
  begin_running();
  while (!owner_.stopping()) {
    if (job* next = next_of_all()) {
      run_turn(*next);
    } else {
      find_work();
    }
  }
  end_running();
}

job* worker::next_of_all() noexcept {
  if (--turns_to_measure_ == 0) maintain();
  return owner_.config_.seed ? next_seeded() : next_job();
}

void worker::run_turn(job& next) noexcept {
  turns_.increment();
  in_turn = true;
  next.run(next);
  in_turn = false;
}

job* worker::next_job() noexcept {
  if (++tick_ % inject_interval == 0) {
    if (job* outside = take_injected(inject_share)) return outside;
  }
  if (handoffs_ < max_handoffs) {
    if (job* woken = slot_.take()) {
      ++handoffs_;
      return woken;
    }
  }
  handoffs_ = 0;
  queue_.prefetch();
  if (job* oldest = queue_.pop()) return oldest;
  if (job* woken = slot_.take()) return woken;
  return take_injected(inject_share);
}

job* worker::next_seeded() noexcept {
  if (job* outside = take_injected(0)) push_quietly(*outside);
  std::uint32_t ready = queue_.size();
  if (ready > 1) queue_.bring_forward(static_cast<std::uint32_t>(random_.below(ready)));
  job* chosen = queue_.pop();
  // No number is drawn in vain: how often nothing is ready depends on the machine.
  if (chosen == nullptr) return nullptr;
  // One message at a time, mostly: what comes between two of them is then the seed's choice, too.
  mail_per_turn = random_.below(8) == 0 ? most_mail_per_turn : 1;
  if (simulation* world = owner_.config_.simulated) world->before_turn(*chosen);
  return chosen;
}

job* worker::take_injected(std::uint32_t least) noexcept {
  std::size_t share = owner_.injected_.size() / owner_.worker_count();
  std::size_t room = room_for(least);
  std::array<job*, inject_batch> taken;
  std::size_t most = std::min({share + 1, room + 1, std::size_t{inject_batch}});
  std::size_t count = owner_.injected_.pop(std::span{taken}.first(most));
  run_queue::prefetch_first(std::span{taken}.first(count));
  for (std::size_t i = 1; i < count; ++i) push_quietly(*taken[i]);
  return count == 0 ? nullptr : taken[0];
}

void worker::hand_off(job& ready) noexcept {
  if (owner_.config_.seed) return push_quietly(ready);
  if (job* before = slot_.put(ready)) push_quietly(*before);
  on_push();
}

void worker::push_back(job& ready) noexcept {
  push_quietly(ready);
  on_push();
}

void worker::push_quietly(job& ready) noexcept {
  if (!queue_.push(ready)) overflow(ready);
}

void worker::overflow(job& ready) noexcept {
  std::array<job*, run_queue::capacity / 2> half;
  std::uint32_t count = queue_.take_half(half);
  owner_.injected_.push_all(std::span{half}.first(count));
  [[maybe_unused]] bool has_room = queue_.push(ready);  // Nobody else pushes.
  TROUPE_ASSERT(has_room);
  overflows_.increment();
  owner_.wake_for(wake_reason::search);
}

// Wakes a thief where that pays. Jobs pushed between turns (by the driver or the timers) are judged
// together, when the worker leaves its idle state.
void worker::on_push() noexcept {
  if (!in_turn) return;
  pal::light_barrier();  // idle_set R4: also for the look at who is idle.
  if (owner_.idle_.idle_count() == 0) return;
  if (is_coarse() || queue_.size() >= owner_.worthy_backlog_) {
    owner_.wake_for(wake_reason::search);
  }
  watch_if_unwatched();
}

void worker::watch_if_unwatched() noexcept {
  pal::light_barrier();  // idle_set R4
  if (owner_.idle_.idle_count() != 0 && !owner_.idle_.watched()) {
    owner_.wake_for(wake_reason::watch);
  }
}

void worker::run_posted() noexcept {
  std::array<job*, 1> pinned;
  while (posted_.pop(pinned) != 0) {
    if (owner_.config_.simulated != nullptr) owner_.config_.simulated->before_turn(*pinned[0]);
    run_turn(*pinned[0]);
  }
}

// Every 61 turns, or as many as fit into 100 us when they are longer: how long turns are, timers,
// I/O.
void worker::maintain() noexcept {
  time_point now = owner_.clock().now();
  duration mean = (now - measured_at_) / turns_measured_;
  coarse_.store(mean >= coarse_turn && !owner_.is_crowded_, std::memory_order_relaxed);
  measured_at_ = now;
  auto fitting = max_poll_gap / std::max(mean, duration{1});
  // After long turns only twice as many as before: a few short ones promise nothing for the next.
  std::uint32_t most = std::min(2 * turns_measured_, max_turns_measured);
  turns_measured_ = static_cast<std::uint32_t>(std::clamp<duration::rep>(fitting, 1, most));
  turns_to_measure_ = turns_measured_;
  if (wheel_.due(now)) wheel_.advance(now, room_for_timers(), true);
  if (alarms_.due(now)) alarms_.sweep(owner_, now);
  if (now - polled_at_ >= max_poll_gap) {
    polled_at_ = now;
    poll_driver();
  }
  run_posted();
}

void worker::restart_measure() noexcept {
  measured_at_ = polled_at_ = owner_.clock().now();
  turns_to_measure_ = turns_measured_;
}

void worker::poll_driver() noexcept {
  pal::lock attending{owner_.driver_mutex_, std::try_to_lock};
  if (!attending) return;  // Attended by an idle worker.
  owner_.driver_uses_.fetch_add(1, std::memory_order_relaxed);
  owner_.io().poll(room_for((turns_measured_ + 3) / 4));
}

// However full the queue is, three timers and an event come in for every four turns: what waits has
// begun, and goes before what other threads and bursts of new tasks bring.
std::uint32_t worker::room_for_timers() const noexcept {
  return room_for((3 * turns_measured_ + 3) / 4);
}

// What the queue has no room for would go behind the jobs of all workers: better it waits where it
// is. One always gets in.
std::uint32_t worker::room_for(std::uint32_t least) const noexcept {
  std::uint32_t queued = std::min(queue_.size(), run_queue::capacity);
  std::uint32_t to_limit = fill_limit - std::min(queued, fill_limit);
  return std::max({to_limit, std::min(least, run_queue::capacity - queued), 1U});
}

void worker::unpark() noexcept {
  wakes_.fetch_add(1, std::memory_order_relaxed);
  if (in_driver_.load(std::memory_order_relaxed)) {  // The idle set's lock orders it.
    owner_.io().interrupt();
  } else {
    parker_.unpark();
  }
}

job* worker::take_back() noexcept {
  if (job* woken = slot_.take()) return woken;
  if (job* oldest = queue_.pop()) return oldest;
  std::array<job*, 1> pinned;
  return posted_.pop(pinned) != 0 ? pinned[0] : nullptr;
}

worker_sight worker::look() const noexcept {
  worker_sight seen;
  seen.turns = turns_.value();
  seen.in_turn = in_turn.seen();
  seen.task = current.seen();
  seen.actor = actor.seen();
  seen.handles = handles.seen();
  seen.thread = thread_.seen();
  return seen;
}

void worker::post(job& pinned) noexcept { posted_.push(pinned); }

void worker::add_to(scheduler_counters& sum) const noexcept {
  sum.ended += ended.value();  // Before spawned: a sum of both never goes below zero.
  sum.spawned += spawned.value();
  sum.turns += turns_.value();
  sum.stolen += stolen_.value();
  sum.overflows += overflows_.value();
  sum.parks += parks_.value();
  sum.wakes += wakes_.load(std::memory_order_relaxed);
}

}  // namespace troupe::inline v0_1::detail
