#pragma once

#include <cstdint>
#include <optional>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/clock.hpp>

namespace troupe::inline v0_1::pal {

/// Lets one thread sleep until another wakes it; a wake before the sleep is kept, once.
///
///   word_    means                         changed by
///   empty    nobody sleeps, no wake kept   park -> parked; unpark -> kept
///   parked   the owner sleeps              unpark -> kept and futex wake; time-out -> empty
///   kept     a wake that park consumes     park -> empty
///
/// Threads: park by the owner alone, unpark by any.
class parker {
public:
  /// Sleeps until unpark(), or `until` when there is one.
  void park(std::optional<time_point> until) noexcept;

  /// Everything written before is seen by the owner after its park().
  void unpark() noexcept;

private:
  static constexpr std::uint32_t empty = 0, parked = 1, kept = 2;

  pal::atomic<std::uint32_t> word_{empty};
};

}  // namespace troupe::inline v0_1::pal
