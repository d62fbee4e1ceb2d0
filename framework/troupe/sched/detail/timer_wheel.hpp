#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include <troupe/base/intrusive_list.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/task/waker.hpp>

namespace troupe::inline v0_1::detail {

class timer_wheel;

/// One timer; lives where the wait for it lives. `wheel` is set by insert().
struct timer_node : list_link {
  time_point deadline{};
  waker key;
  timer_wheel* wheel = nullptr;
  std::uint64_t due_tick = 0;
  std::uint8_t level = 0;
  std::uint8_t slot = 0;
  pal::atomic<bool> fired{false};  ///< Set before `key` is woken.
};

/// Timers of one worker, in six levels of 64 slots: insert and erase in constant time, with a
/// million timers as with one.
///
/// A tick is 2^17 ns (131 us). A deadline is rounded up to a tick, so nothing fires early.
/// Threads: any, under the wheel's own lock; the owner inserts and advances, an idle worker
/// advances for an owner that is busy, and erase() comes from wherever the waiting task runs.
/// Source: Varghese and Lauck; Tokio's time wheel for the choice of the level.
class timer_wheel {
public:
  explicit timer_wheel(time_point origin) noexcept : origin_{origin} {}

  /// Arms `node` for `node.deadline`. Returns true when it is the earliest here now.
  bool insert(timer_node& node) noexcept;

  /// Disarms `node`; nothing comes from it after this. Harmless when it has fired.
  void erase(timer_node& node) noexcept;

  /// Fires all timers due at `now`: marks them, and wakes their keys.
  void advance(time_point now) noexcept;

  /// Returns: a time before which nothing is due; none when the wheel is empty.
  [[nodiscard]] std::optional<time_point> next() const noexcept {
    duration::rep at = next_.load(std::memory_order_seq_cst);  // <- insert
    if (at == never) return std::nullopt;
    return time_point{duration{at}};
  }

  [[nodiscard]] bool due(time_point now) const noexcept {
    return now.time_since_epoch().count() >= next_.load(std::memory_order_relaxed);
  }

  /// Returns: how many timers are armed.
  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

private:
  static constexpr unsigned tick_bits = 17, slot_bits = 6, level_count = 6;
  static constexpr std::uint64_t slot_count = std::uint64_t{1} << slot_bits;
  // How far ahead a timer may stand: in the highest level never in the slot of the present itself,
  // which would hide the slots in between from next_expiration().
  static constexpr std::uint64_t max_ahead = (slot_count - 1) << (slot_bits * (level_count - 1));
  static constexpr duration::rep never = duration::max().count();

  struct level_slots {
    std::uint64_t occupied = 0;
    std::array<intrusive_list<timer_node>, slot_count> slots;
  };
  struct expiration {
    unsigned level;
    unsigned slot;
    std::uint64_t tick;
  };

  [[nodiscard]] std::uint64_t round_up(time_point at) const noexcept;
  [[nodiscard]] std::uint64_t round_down(time_point at) const noexcept;
  [[nodiscard]] duration::rep to_time(std::uint64_t tick) const noexcept;
  void place(timer_node& node) noexcept;
  void unlink(timer_node& node) noexcept;
  void fire(timer_node& node) noexcept;
  [[nodiscard]] std::optional<expiration> next_expiration() const noexcept;
  void expire(const expiration& at) noexcept;

  const time_point origin_;
  pal::mutex mutex_;
  std::uint64_t now_tick_ = 0;
  pal::atomic<duration::rep> next_{never};
  pal::atomic<std::size_t> size_{0};
  std::array<level_slots, level_count> levels_;
};

}  // namespace troupe::inline v0_1::detail
