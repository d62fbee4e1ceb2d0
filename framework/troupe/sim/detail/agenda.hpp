#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/pal/clock.hpp>
#include <troupe/pal/random.hpp>

namespace troupe::inline v0_1::sim::detail {

/// What happens in a simulated world outside of its nodes: deliveries, faults, ends of delays. It
/// owns the world's time and the random numbers of all that is no node.
///
/// What is due is run in the order of time, and of at() where times are equal. Whoever ends before
/// its entries gives them a weak pointer: there is no way to take an entry back.
/// Threads: the world's alone; its clock may be read by blocking work, which runs while the world
/// waits.
class agenda {
public:
  using action = std::function<void()>;

  explicit agenda(std::uint64_t seed) : random_{seed} {}

  agenda(const agenda&) = delete;
  agenda& operator=(const agenda&) = delete;

  [[nodiscard]] time_point now() const noexcept { return clock_.now(); }
  [[nodiscard]] pal::random& random() noexcept { return random_; }
  /// The clock of every node; it moves by move_to() alone.
  [[nodiscard]] pal::clock& clock() noexcept { return clock_; }

  /// Has `act` run at `when`, or at once where that is past. `act` may add entries, and must not
  /// throw. `what` names it in the world's trace. Requires: `what` is a literal.
  void at(time_point when, std::string_view what, action act);
  void after(duration delay, std::string_view what, action act) {
    at(now() + delay, what, std::move(act));
  }

  /// Returns: when the first entry is due, also when that is past; none when there is no entry.
  [[nodiscard]] std::optional<time_point> next() const noexcept;
  /// Runs the first entry that is due. Returns: its name; none when no entry is due.
  std::optional<std::string_view> run_due();

  /// Moves time on. Requires: not back.
  void move_to(time_point when);

  /// Adds a line to the world's history: it is a part of the trace, and of the hash.
  void note(std::string_view text) const {
    if (on_note_) on_note_(text);
  }
  void on_note(std::function<void(std::string_view)> act) { on_note_ = std::move(act); }

private:
  class standing_clock final : public pal::clock {
  public:
    [[nodiscard]] time_point now() const noexcept override { return now_; }
    // One runtime with nothing to run says nothing about the others.
    bool jump_to(time_point) noexcept override { return false; }
    [[nodiscard]] bool is_virtual() const noexcept override { return true; }
    void move_to(time_point when) noexcept { now_ = when; }

  private:
    time_point now_{};
  };

  struct entry {
    time_point when;
    std::uint64_t number = 0;
    std::string_view what;
    action act;

    // For a heap whose first is the earliest.
    friend bool operator<(const entry& a, const entry& b) noexcept {
      return a.when != b.when ? a.when > b.when : a.number > b.number;
    }
  };

  standing_clock clock_;
  pal::random random_;
  std::uint64_t added_ = 0;
  std::vector<entry> entries_;  // A heap.
  std::function<void(std::string_view)> on_note_;
};

}  // namespace troupe::inline v0_1::sim::detail
