#include <troupe/sched/detail/timer_wheel.hpp>

#include <troupe/base/cache_line.hpp>

namespace troupe::inline v0_1::detail {

std::uint64_t timer_wheel::round_up(time_point at) const noexcept {
  auto since = (at - origin_).count();
  if (since <= 0) return 0;
  std::uint64_t mask = (std::uint64_t{1} << tick_bits_) - 1;
  return (static_cast<std::uint64_t>(since) + mask) >> tick_bits_;
}

std::uint64_t timer_wheel::round_down(time_point at) const noexcept {
  auto since = (at - origin_).count();
  return since <= 0 ? 0 : static_cast<std::uint64_t>(since) >> tick_bits_;
}

// Cut to the last tick that can be told from `never`.
duration::rep timer_wheel::to_time(std::uint64_t tick) const noexcept {
  duration::rep origin = origin_.time_since_epoch().count();
  std::uint64_t last = static_cast<std::uint64_t>(never - 1 - origin) >> tick_bits_;
  return origin + static_cast<duration::rep>(std::min(tick, last) << tick_bits_);
}

// Returns: true when `at` is earlier than what was the next time until now.
bool timer_wheel::lower_next(duration::rep at) noexcept {
  if (at >= next_.load(std::memory_order_relaxed)) return false;
  next_.store(at, std::memory_order_seq_cst);  // -> worker::wait_in_driver, which looks twice
  return true;
}

bool timer_wheel::insert(timer_node& node) noexcept {
  pal::lock guard{mutex_};
  node.wheel = this;
  node.was_shelved = false;
  node.fired.store(false, std::memory_order_relaxed);
  return link(node);
}

bool timer_wheel::link(timer_node& node) noexcept {
  place(node);
  size_.store(size_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return lower_next(to_time(std::max(round_up(node.deadline), now_tick_ + 1)));
}

bool timer_wheel::shelve(timer_node& node, duration length, const pal::clock& clock) noexcept {
  bool is_earliest = false;
  bool is_open = shelf_until_.load(std::memory_order_relaxed) != never;
  if (!is_open || !shelf_.has_room()) {
    time_point now = clock.now();
    if (std::uint32_t left = exact_left_.load(std::memory_order_relaxed); left > 0) {
      exact_left_.store(left - 1, std::memory_order_relaxed);
      node.deadline = now + length;
      return insert(node);
    }
    is_earliest = open_shelf(now);
  }
  node.wheel = this;
  node.fired.store(false, std::memory_order_relaxed);
  node.deadline = time_point{length};
  node.was_shelved = true;
  node.place = shelf_.put(node);
  return is_earliest;
}

bool timer_wheel::open_shelf(time_point now) noexcept {
  pal::lock guard{mutex_};
  auto until = (now + max_on_shelf).time_since_epoch().count();
  bool is_earliest = take_shelf(now, until);
  return lower_next(until) || is_earliest;
}

void timer_wheel::clear_shelf(const pal::clock& clock) noexcept {
  if (shelf_until_.load(std::memory_order_relaxed) == never) return;
  pal::lock guard{mutex_};
  (void)take_shelf(clock.now(), never);
  update_next();
}

// Any time after a timer was put there will do: it is not early then.
bool timer_wheel::take_shelf(time_point now, duration::rep until) noexcept {
  bool is_earliest = false;
  duration overdue{now.time_since_epoch().count() - shelf_until_.load(std::memory_order_relaxed)};
  if (overdue >= max_overdue) exact_left_.store(exact_after_overdue, std::memory_order_relaxed);
  shelf_until_.store(until, std::memory_order_relaxed);
  shelf_.take([&](timer_node& node) {
    node.deadline = now + node.deadline.time_since_epoch();
    is_earliest |= link(node);
  });
  return is_earliest;
}

void timer_wheel::erase(timer_node& node) noexcept {
  if (node.fired.load(std::memory_order_acquire)) return;  // <- fire_due
  if (node.was_shelved) {
    node.was_shelved = false;
    if (shelf_.take_off(node, node.place)) {
      node.deadline = time_point::min();
      return;
    }
  }
  pal::lock guard{mutex_};
  if (!node.linked()) return;
  unlink(node);
  std::size_t left = size_.load(std::memory_order_relaxed) - 1;
  size_.store(left, std::memory_order_relaxed);
  // Otherwise next_ may stay too early, which costs one look in vain.
  if (left == 0) {
    next_.store(shelf_until_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  }
}

// The level is that of the highest digit in which the due tick differs from the present one.
void timer_wheel::place(timer_node& node) noexcept {
  std::uint64_t due = std::max(round_up(node.deadline), now_tick_ + 1);
  due = std::min(due, now_tick_ + max_ahead());  // Further off: comes round again.
  auto differing = static_cast<unsigned>(std::bit_width(due ^ now_tick_));
  unsigned level = differing <= first_bits ? 0 : 1 + (differing - 1 - first_bits) / slot_bits;
  level = std::min(level, level_count - 1);
  node.level = static_cast<std::uint8_t>(level);
  node.slot = static_cast<std::uint8_t>((due >> shift_of(level)) % slots_of(level));
  auto& slot = levels_[level].slots[node.slot];
  slot.push_back(node);
  levels_[level].occupied.add(node.slot);
  node.ahead = nullptr;
  constexpr unsigned nodes_ahead = 4;
  if (timer_node* before = slot.before(node, nodes_ahead)) before->ahead = &node;
}

// A million timers lie in memory that no cache holds, and each tells only where the next one is.
timer_node* timer_wheel::pop(intrusive_list<timer_node>& from) noexcept {
  timer_node* first = from.pop_front();
  if (first != nullptr) prefetch_to_write(first->ahead);
  return first;
}

void timer_wheel::unlink(timer_node& node) noexcept {
  level_slots& level = levels_[node.level];
  intrusive_list<timer_node>::erase(node);
  // A timer in `due_` has left its slot, which may hold others by now, or is empty and known to be.
  if (level.slots[node.slot].empty()) level.occupied.remove(node.slot);
}

std::optional<timer_wheel::expiration> timer_wheel::next_expiration() const noexcept {
  for (unsigned level = 0; level < level_count; ++level) {
    unsigned shift = shift_of(level);
    auto now_slot = static_cast<unsigned>((now_tick_ >> shift) % slots_of(level));
    auto slot = levels_[level].occupied.next_after(now_slot);
    if (!slot) continue;
    std::uint64_t round = (now_tick_ >> shift) - now_slot;  // First slot of this level's round.
    std::uint64_t tick = (round + *slot) << shift;
    if (tick <= now_tick_) tick += slots_of(level) << shift;  // In the next round of this level.
    return expiration{level, *slot, tick};
  }
  return std::nullopt;
}

// Moves the timers of a slot nearer, or among those that are due.
void timer_wheel::expire(const expiration& at) noexcept {
  level_slots& level = levels_[at.level];
  level.occupied.remove(at.slot);
  if (at.level == 0) return due_.take_all(level.slots[at.slot]);
  intrusive_list<timer_node> moving;
  moving.take_all(level.slots[at.slot]);
  while (timer_node* node = pop(moving)) {
    if (round_up(node->deadline) <= now_tick_) {
      due_.push_back(*node);
    } else {
      place(*node);
    }
  }
}

// Returns: how many there were.
std::size_t timer_wheel::fire_due(std::size_t most) noexcept {
  std::array<timer_node*, 16> batch;
  std::size_t count = 0;
  while (count < std::min(most, batch.size())) {
    timer_node* node = pop(due_);
    if (node == nullptr) break;
    prefetch_to_write(node->key.task());  // After a long sleep no cache holds it any more.
    batch[count++] = node;
  }
  size_.store(size_.load(std::memory_order_relaxed) - count, std::memory_order_relaxed);
  for (std::size_t i = 0; i < count; ++i) {
    waker key = batch[i]->key;
    batch[i]->fired.store(true, std::memory_order_release);  // -> erase: it is not touched again
    key.wake();
  }
  return count;
}

void timer_wheel::advance(time_point now, std::size_t most, bool is_owner) noexcept {
  pal::lock guard{mutex_};
  if (now.time_since_epoch().count() >= shelf_until_.load(std::memory_order_relaxed)) {
    auto later = (now + max_on_shelf).time_since_epoch().count();
    (void)take_shelf(now, is_owner ? never : later);
  }
  std::uint64_t target = round_down(now);
  for (;;) {
    while (most > 0) {
      std::size_t count = fire_due(most);
      if (count == 0) break;
      most -= count;
    }
    if (!due_.empty()) break;
    auto next = next_expiration();
    if (!next || next->tick > target) {
      now_tick_ = std::max(now_tick_, target);
      break;
    }
    now_tick_ = next->tick;
    expire(*next);
  }
  update_next();
}

void timer_wheel::update_next() noexcept {
  duration::rep at = shelf_until_.load(std::memory_order_relaxed);
  if (!due_.empty()) {
    at = std::min(at, to_time(now_tick_));
  } else if (auto next = next_expiration()) {
    at = std::min(at, to_time(next->tick));
  }
  // -> scheduler::on_all_idle: who sees this sees the jobs of what has fired.
  next_.store(at, std::memory_order_release);
}

}  // namespace troupe::inline v0_1::detail
