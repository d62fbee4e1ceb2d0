#pragma once

#include <cstdint>
#include <optional>
#include <source_location>

#include <model/clock.hpp>
#include <model/futexes.hpp>
#include <model/relacy.hpp>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/clock.hpp>

/// Stands in for the header of the same name. A sleep with an end in time may end at any moment,
/// and the model's clock has that time then.
namespace troupe::inline v0_1::pal::detail {

inline bool futex_wait(const pal::atomic<std::uint32_t>& word, std::uint32_t value,
                       std::optional<time_point> until) noexcept {
  auto here = std::source_location::current();
  rl::ctx().sched();
  if (word.debug_value() != value) return true;
  auto& sleepers = model::futexes::current();
  if (sleepers.wait(&word, until.has_value(), here) == model::futexes::end::woken) return true;
  model::clock_of_model.pass(*until);
  return false;
}

inline void futex_wake(const pal::atomic<std::uint32_t>& word) noexcept {
  model::futexes::current().wake_one(&word, std::source_location::current());
}

}  // namespace troupe::inline v0_1::pal::detail
