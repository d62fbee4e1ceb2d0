#pragma once

#include <cstdint>
#include <map>
#include <source_location>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <troupe/actor/actor_id.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/sim/detail/history.hpp>
#include <troupe/task/core.hpp>
#include <troupe/task/job.hpp>

namespace troupe::inline v0_1::sim::detail {

/// Gives what runs on one node names and numbers that are the same in each run of a seed, and
/// writes each turn into the world's history.
class turn_log {
public:
  turn_log(history& into, const pal::clock& clock, std::uint64_t node_number, std::string node_name)
      : history_{into},
        clock_{clock},
        node_number_{node_number},
        node_name_{std::move(node_name)} {}

  void before_turn(job& next) noexcept;
  /// Writes the turn that was run last. `handled`: the message of an actor's turn; may be null.
  void end_turn(const char* handled);
  /// All that had a number is gone.
  void forget_all() noexcept;

private:
  enum class kind : unsigned char { none, task, actor, other };

  struct turn {
    kind what = kind::none;
    std::uint64_t number = 0;
    std::string_view name;  // Of an actor's class, or of the message that a task handles.
    std::source_location spawned_at;
    std::string own_name;  // Where lines are kept.
    const troupe::detail::task_core* task = nullptr;
  };

  [[nodiscard]] turn look_at(job& next);
  [[nodiscard]] std::string describe(const char* handled) const;

  history& history_;
  const pal::clock& clock_;
  const std::uint64_t node_number_;
  const std::string node_name_;
  turn turn_;
  // By addresses, and never walked through.
  std::unordered_map<const troupe::detail::task_core*, std::uint64_t> tasks_;
  std::map<actor_id, std::uint64_t> actors_;
  std::uint64_t last_number_ = 0;
};

}  // namespace troupe::inline v0_1::sim::detail
