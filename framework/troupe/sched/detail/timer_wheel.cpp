#include <troupe/sched/detail/timer_wheel.hpp>

#include <algorithm>
#include <bit>

namespace troupe::inline v0_1::detail {

std::uint64_t timer_wheel::round_up(time_point at) const noexcept {
  auto since = (at - origin_).count();
  if (since <= 0) return 0;
  constexpr std::uint64_t mask = (std::uint64_t{1} << tick_bits) - 1;
  return (static_cast<std::uint64_t>(since) + mask) >> tick_bits;
}

std::uint64_t timer_wheel::round_down(time_point at) const noexcept {
  auto since = (at - origin_).count();
  return since <= 0 ? 0 : static_cast<std::uint64_t>(since) >> tick_bits;
}

// Cut to the last tick that can be told from `never`.
duration::rep timer_wheel::to_time(std::uint64_t tick) const noexcept {
  duration::rep origin = origin_.time_since_epoch().count();
  std::uint64_t last = static_cast<std::uint64_t>(never - 1 - origin) >> tick_bits;
  return origin + static_cast<duration::rep>(std::min(tick, last) << tick_bits);
}

bool timer_wheel::insert(timer_node& node) noexcept {
  pal::lock guard{mutex_};
  node.wheel = this;
  node.fired.store(false, std::memory_order_relaxed);
  node.due_tick = round_up(node.deadline);
  place(node);
  size_.store(size_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  duration::rep due = to_time(std::max(node.due_tick, now_tick_ + 1));
  if (due >= next_.load(std::memory_order_relaxed)) return false;
  next_.store(due, std::memory_order_seq_cst);  // -> worker::wait_in_driver, which looks twice
  return true;
}

void timer_wheel::erase(timer_node& node) noexcept {
  pal::lock guard{mutex_};
  if (!node.linked()) return;
  unlink(node);
  std::size_t left = size_.load(std::memory_order_relaxed) - 1;
  size_.store(left, std::memory_order_relaxed);
  // Otherwise next_ may stay too early, which costs one look in vain.
  if (left == 0) next_.store(never, std::memory_order_relaxed);
}

// The level is that of the highest digit in which the due tick differs from the present one.
void timer_wheel::place(timer_node& node) noexcept {
  std::uint64_t due = std::max(node.due_tick, now_tick_ + 1);
  due = std::min(due, now_tick_ + max_ahead);  // Further off: comes round again.
  std::uint64_t differing = (due ^ now_tick_) | (slot_count - 1);
  unsigned level = static_cast<unsigned>(std::bit_width(differing) - 1) / slot_bits;
  level = std::min(level, level_count - 1);
  node.level = static_cast<std::uint8_t>(level);
  node.slot = static_cast<std::uint8_t>((due >> (level * slot_bits)) % slot_count);
  levels_[level].slots[node.slot].push_back(node);
  levels_[level].occupied |= std::uint64_t{1} << node.slot;
}

void timer_wheel::unlink(timer_node& node) noexcept {
  level_slots& level = levels_[node.level];
  intrusive_list<timer_node>::erase(node);
  if (level.slots[node.slot].empty()) level.occupied &= ~(std::uint64_t{1} << node.slot);
}

std::optional<timer_wheel::expiration> timer_wheel::next_expiration() const noexcept {
  for (unsigned level = 0; level < level_count; ++level) {
    std::uint64_t occupied = levels_[level].occupied;
    if (occupied == 0) continue;
    unsigned shift = level * slot_bits;
    auto now_slot = static_cast<unsigned>((now_tick_ >> shift) % slot_count);
    auto rotated = std::rotr(occupied, static_cast<int>(now_slot));
    auto ahead = static_cast<unsigned>(std::countr_zero(rotated));
    unsigned slot = (now_slot + ahead) % slot_count;
    std::uint64_t round = (now_tick_ >> shift) - now_slot;  // First slot of this level's round.
    std::uint64_t tick = (round + slot) << shift;
    if (tick <= now_tick_) tick += slot_count << shift;  // In the next round of this level.
    return expiration{level, slot, tick};
  }
  return std::nullopt;
}

void timer_wheel::fire(timer_node& node) noexcept {
  // The node stays while we hold the lock: its task takes the lock in erase() before it goes on.
  node.fired.store(true, std::memory_order_relaxed);
  node.key.wake();
}

void timer_wheel::expire(const expiration& at) noexcept {
  level_slots& level = levels_[at.level];
  intrusive_list<timer_node> due;
  while (timer_node* node = level.slots[at.slot].pop_front()) due.push_back(*node);
  level.occupied &= ~(std::uint64_t{1} << at.slot);
  while (timer_node* node = due.pop_front()) {
    if (node->due_tick <= now_tick_) {
      size_.store(size_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
      fire(*node);
    } else {
      place(*node);
    }
  }
}

void timer_wheel::advance(time_point now) noexcept {
  pal::lock guard{mutex_};
  std::uint64_t target = round_down(now);
  auto next = next_expiration();
  while (next && next->tick <= target) {
    now_tick_ = next->tick;
    expire(*next);
    next = next_expiration();
  }
  now_tick_ = std::max(now_tick_, target);
  next = next_expiration();
  // -> scheduler::on_all_idle: who sees this sees the jobs of what has fired.
  next_.store(next ? to_time(next->tick) : never, std::memory_order_release);
}

}  // namespace troupe::inline v0_1::detail
