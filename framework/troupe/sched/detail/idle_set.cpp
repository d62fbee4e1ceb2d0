#include <troupe/sched/detail/idle_set.hpp>

#include <algorithm>

#include <troupe/sched/detail/worker.hpp>

namespace troupe::inline v0_1::detail {

idle_set::entry idle_set::enter(worker& self) {
  pal::lock guard{mutex_};
  sleepers_.push_back(&self);
  return {idle_count_.fetch_add(1, std::memory_order_seq_cst) + 1, departures_};  // R2
}

idle_set::entry idle_set::look() noexcept {
  pal::lock guard{mutex_};
  return {idle_count(), departures_};
}

bool idle_set::leave(worker& self) noexcept {
  pal::lock guard{mutex_};
  return remove(self);
}

bool idle_set::remove(worker& self) noexcept {
  auto found = std::find(sleepers_.begin(), sleepers_.end(), &self);
  if (found == sleepers_.end()) return false;
  sleepers_.erase(found);
  ++departures_;
  idle_count_.fetch_sub(1, std::memory_order_relaxed);
  return true;
}

bool idle_set::contains(const worker& self) noexcept {
  pal::lock guard{mutex_};
  return std::find(sleepers_.begin(), sleepers_.end(), &self) != sleepers_.end();
}

worker* idle_set::pick(wake_reason reason) noexcept {
  pal::lock guard{mutex_};
  if (sleepers_.empty()) return nullptr;
  worker* picked = sleepers_.back();
  sleepers_.pop_back();
  ++departures_;
  idle_count_.fetch_sub(1, std::memory_order_relaxed);
  picked->set_wake_reason(reason);
  return picked;
}

bool idle_set::pick_this(worker& wanted, wake_reason reason) noexcept {
  pal::lock guard{mutex_};
  if (!remove(wanted)) return false;
  wanted.set_wake_reason(reason);
  return true;
}

worker* idle_set::pick_thief() noexcept {
  std::size_t nobody = 0;
  if (!searching_.compare_exchange_strong(nobody, 1, std::memory_order_relaxed)) return nullptr;
  worker* picked = pick(wake_reason::search);
  if (picked == nullptr) end_search();
  return picked;
}

}  // namespace troupe::inline v0_1::detail
