#include <troupe/sched/alarms.hpp>

#include <algorithm>

namespace troupe::inline v0_1 {

using namespace std::chrono_literals;

namespace {

constexpr duration longest = std::chrono::hours{24 * 365};

// One more than there are periods in it: the first sweep may be near.
std::uint32_t sweeps_in(duration length, duration period) noexcept {
  return static_cast<std::uint32_t>((length + period - duration{1}) / period) + 1;
}

}  // namespace

alarms::alarms(duration limit) noexcept
    : limit_{std::min<duration>(limit, longest)},
      period_{std::clamp<duration>(limit_ / 40, 1ms, 100ms)},
      ahead_{sweeps_in(limit_, period_)} {}

std::uint32_t alarms::after(duration length) const noexcept {
  return current() + sweeps_in(std::min(length, longest), period_);
}

void alarms::sweep(const executor& exec, time_point now) noexcept {
  duration::rep at = next_.load(std::memory_order_relaxed);
  if (now.time_since_epoch().count() < at) return;
  if (!next_.compare_exchange_strong(at, next_after(now), std::memory_order_acq_rel)) return;
  std::uint32_t present = sweeps_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (detail::task_core::ring_alarms(exec, present)) return;
  duration::rep mine = next_after(now);
  if (!next_.compare_exchange_strong(mine, never, std::memory_order_seq_cst)) return;
  pal::heavy_barrier();  // R1
  duration::rep off = never;
  if (detail::task_core::ring_alarms(exec, present)) {
    next_.compare_exchange_strong(off, next_after(now), std::memory_order_seq_cst);
  }
}

}  // namespace troupe::inline v0_1
