#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <troupe/pal/atomic.hpp>
#include <troupe/sched/detail/capacities.hpp>

namespace troupe::inline v0_1::detail {

struct timer_node;

/// Where a worker puts timers that will probably be erased before long: for them a wheel, with its
/// lock and a deadline by the clock, is too much work.
///
///   place   means                    changed by
///   null    free                     the owner's put -> node
///   node    a timer lies there       take_off by its task -> null; take by the wheel -> null
///
///   R1. Only the owner's thread puts.
///   R2. take() is called under the wheel's lock, which its caller holds until the node is linked
///       in the wheel: a task that finds its node taken waits for that lock.
///   R3. A node is not looked into before it was taken: until then its task may end it.
class timer_shelf {
public:
  static constexpr std::size_t capacity = timer_shelf_capacity;

  /// Returns: whether the next place is free. R1
  [[nodiscard]] bool has_room() const noexcept {
    return places_[next_].load(std::memory_order_relaxed) == nullptr;
  }

  /// Requires: has_room(). Returns: its place. R1
  [[nodiscard]] std::uint8_t put(timer_node& node) noexcept {
    std::uint8_t place = next_;
    next_ = static_cast<std::uint8_t>((next_ + 1U) % capacity);
    places_[place].store(&node, std::memory_order_release);  // -> take
    return place;
  }

  /// Takes a timer back. Returns: false when it does not lie there any more. Threads: any.
  [[nodiscard]] bool take_off(timer_node& node, std::uint8_t place) noexcept {
    timer_node* expected = &node;
    return places_[place].compare_exchange_strong(expected, nullptr, std::memory_order_relaxed);
  }

  /// Takes all that lies there and gives it to `settle(timer_node&)`. R2, R3
  template <class Settle>
  void take(Settle settle) noexcept {
    for (auto& place : places_) {
      timer_node* lying = place.load(std::memory_order_relaxed);
      if (lying == nullptr) continue;
      if (place.compare_exchange_strong(lying, nullptr, std::memory_order_acquire)) {  // <- put
        settle(*lying);
      }
    }
  }

private:
  static_assert(capacity <= std::size_t{1} << 8, "a place is a std::uint8_t");

  std::array<pal::atomic<timer_node*>, capacity> places_{};
  std::uint8_t next_ = 0;
};

}  // namespace troupe::inline v0_1::detail
