#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <troupe/base/intrusive_list.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/sched/detail/timer_shelf.hpp>
#include <troupe/task/waker.hpp>

namespace troupe::inline v0_1::detail {

class timer_wheel;

/// One timer; lives where the wait for it lives. `wheel` is set when it is armed.
struct timer_node : list_link {
  time_point deadline{};  ///< On the shelf: how long after it has left that.
  waker key;
  timer_wheel* wheel = nullptr;
  timer_node* ahead = nullptr;  ///< One that may come some places later: to be fetched, no more.
  std::uint8_t level = 0;
  std::uint8_t slot = 0;
  std::uint8_t place = 0;          ///< On the shelf.
  bool was_shelved = false;        ///< Its task's: it was armed by shelve().
  pal::atomic<bool> fired{false};  ///< Set before `key` is woken; the wheel has let go of it then.
};

/// Which slots of a level hold timers.
class slot_set {
public:
  static constexpr unsigned capacity = 256;

  void add(unsigned slot) noexcept { words_[slot / 64] |= std::uint64_t{1} << (slot % 64); }
  void remove(unsigned slot) noexcept { words_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64)); }

  /// Returns: the first member behind `slot`, going round, `slot` itself last; none when empty.
  [[nodiscard]] std::optional<unsigned> next_after(unsigned slot) const noexcept {
    unsigned from = (slot + 1) % capacity;
    std::size_t word = from / 64;
    std::uint64_t members = words_[word] & (~std::uint64_t{0} << (from % 64));
    for (std::size_t looks = 0; looks <= words_.size(); ++looks) {
      if (members != 0)
        return static_cast<unsigned>(word) * 64 + static_cast<unsigned>(std::countr_zero(members));
      word = (word + 1) % words_.size();
      members = words_[word];
    }
    return std::nullopt;
  }

private:
  std::array<std::uint64_t, capacity / 64> words_{};
};

/// Timers of one worker, in a level of 64 slots and four of 256: insert and erase in constant time,
/// with a million timers as with one.
///
/// A tick is 2^17 ns (131 us). A deadline is rounded up to a tick, so nothing fires early. The
/// first level spans 8.4 ms, the second 2.1 s: the most usual times are moved once, a few at a
/// time. Threads: any, under the wheel's own lock; the owner arms and advances, an idle worker
/// advances for an owner that is busy, and erase() comes from wherever the waiting task runs.
/// Source: Varghese and Lauck; Tokio's time wheel for the choice of the level.
class timer_wheel {
public:
  /// What lies on the shelf is settled after this time, and its deadline is as much late.
  static constexpr duration max_on_shelf = std::chrono::milliseconds{1};
  /// Where it was settled so much too late, the owner had a long turn and nobody was idle. Others
  /// may come: so many timers go straight to the wheel then, which takes a hundredth of that time.
  static constexpr duration max_overdue = std::chrono::milliseconds{9};
  static constexpr std::uint32_t exact_after_overdue = 1000;
  /// A clock that does not pass by itself has no use for a shelf: looking at it costs nothing.
  /// `is_exact`: a tick is 1 ns, for a simulation, whose time costs nothing: then what a test waits
  /// for happens when it says.
  explicit timer_wheel(time_point origin, bool has_shelf = false, bool is_exact = false) noexcept
      : origin_{origin}, has_shelf_{has_shelf}, tick_bits_{is_exact ? 0U : usual_tick_bits} {}

  /// Arms `node` for `node.deadline`. Returns true when it is the earliest here now.
  bool insert(timer_node& node) noexcept;

  /// Arms `node` for `length` from now, up to max_on_shelf late; most cheaply when it is erased
  /// within that time, and exact after a long turn. Returns: as insert(). Requires: the owner's
  /// thread, and has_shelf().
  bool shelve(timer_node& node, duration length, const pal::clock& clock) noexcept;
  [[nodiscard]] bool has_shelf() const noexcept { return has_shelf_; }

  /// Moves what was shelved into the wheel, for an owner that goes to sleep. On its thread.
  void clear_shelf(const pal::clock& clock) noexcept;

  /// Disarms `node`; nothing comes from it after this. Harmless when it has fired. What was on the
  /// shelf until now has no deadline then: time_point::min().
  void erase(timer_node& node) noexcept;

  /// Fires timers due at `now`, `most` at most: marks them, and wakes their keys. The others stay
  /// due. `is_owner`: on the owner's thread.
  void advance(time_point now, std::size_t most, bool is_owner) noexcept;

  /// Returns: a time before which nothing is due; none when the wheel is empty.
  [[nodiscard]] std::optional<time_point> next() const noexcept {
    duration::rep at = next_.load(std::memory_order_seq_cst);  // <- lower_next
    if (at == never) return std::nullopt;
    return time_point{duration{at}};
  }

  [[nodiscard]] bool due(time_point now) const noexcept {
    return now.time_since_epoch().count() >= next_.load(std::memory_order_relaxed);
  }

  /// Returns: how many timers are armed, without those on the shelf.
  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

private:
  static constexpr unsigned usual_tick_bits = 17;
  static constexpr unsigned first_bits = 6, slot_bits = 8, level_count = 5;
  static constexpr duration::rep never = duration::max().count();

  static constexpr unsigned shift_of(unsigned level) noexcept {
    return level == 0 ? 0 : first_bits + (level - 1) * slot_bits;
  }
  static constexpr std::uint64_t slots_of(unsigned level) noexcept {
    return std::uint64_t{1} << (level == 0 ? first_bits : slot_bits);
  }
  // How far ahead a timer may stand: in the highest level never in the slot of the present itself,
  // which would hide that it is in the next round.
  static constexpr std::uint64_t max_ahead() noexcept {
    return (slots_of(level_count - 1) - 1) << shift_of(level_count - 1);
  }

  struct level_slots {
    slot_set occupied;
    std::array<intrusive_list<timer_node>, slot_set::capacity> slots;
  };
  struct expiration {
    unsigned level;
    unsigned slot;
    std::uint64_t tick;
  };

  [[nodiscard]] std::uint64_t round_up(time_point at) const noexcept;
  [[nodiscard]] std::uint64_t round_down(time_point at) const noexcept;
  [[nodiscard]] duration::rep to_time(std::uint64_t tick) const noexcept;
  [[nodiscard]] static timer_node* pop(intrusive_list<timer_node>& from) noexcept;
  bool lower_next(duration::rep at) noexcept;
  bool link(timer_node& node) noexcept;
  bool open_shelf(time_point now) noexcept;
  bool take_shelf(time_point now, duration::rep until) noexcept;
  void place(timer_node& node) noexcept;
  void unlink(timer_node& node) noexcept;
  [[nodiscard]] std::optional<expiration> next_expiration() const noexcept;
  void expire(const expiration& at) noexcept;
  std::size_t fire_due(std::size_t most) noexcept;
  void update_next() noexcept;

  const time_point origin_;
  const bool has_shelf_;
  const unsigned tick_bits_;
  pal::mutex mutex_;
  std::uint64_t now_tick_ = 0;
  pal::atomic<duration::rep> next_{never};
  // When the shelf has to be settled; under the lock, and from and to `never` by the owner alone:
  // so the owner may put more there as long as it sees another time.
  pal::atomic<duration::rep> shelf_until_{never};
  pal::atomic<std::uint32_t> exact_left_{0};  // That go by the shelf; a rough count.
  pal::atomic<std::size_t> size_{0};
  timer_shelf shelf_;
  intrusive_list<timer_node> due_;  // Their time has come; not yet fired.
  std::array<level_slots, level_count> levels_;
};

}  // namespace troupe::inline v0_1::detail
