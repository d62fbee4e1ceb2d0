#include "meter.hpp"

#include <algorithm>
#include <bit>

namespace service {

void meter::add(troupe::duration latency) noexcept {
  auto nanoseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
  buckets_[bucket_of(nanoseconds)].fetch_add(1, std::memory_order_relaxed);
}

meter::figures meter::take() noexcept {
  std::array<std::uint64_t, bucket_count> counts;
  figures result;
  for (std::size_t i = 0; i < bucket_count; ++i) {
    counts[i] = buckets_[i].exchange(0, std::memory_order_relaxed);
    result.answered_count += counts[i];
  }
  std::uint64_t seen_count = 0;
  for (std::size_t i = 0; i < bucket_count && result.p99 == troupe::duration{}; ++i) {
    seen_count += counts[i];
    if (seen_count == 0) continue;
    if (result.p50 == troupe::duration{} && seen_count * 2 >= result.answered_count) {
      result.p50 = end_of(i);
    }
    if (seen_count * 100 >= result.answered_count * 99) result.p99 = end_of(i);
  }
  return result;
}

// Small numbers have buckets of their own; above, the highest bit and the four after it tell.
std::size_t meter::bucket_of(std::uint64_t nanoseconds) noexcept {
  constexpr std::uint64_t steps = 1U << steps_bits;
  if (nanoseconds < steps) return nanoseconds;
  auto doubling = static_cast<unsigned>(std::bit_width(nanoseconds)) - steps_bits;
  std::uint64_t step = (nanoseconds >> (doubling - 1)) - steps;
  return (std::size_t{doubling} << steps_bits) + step;
}

troupe::duration meter::end_of(std::size_t bucket) noexcept {
  constexpr std::uint64_t steps = 1U << steps_bits;
  if (bucket < steps) return troupe::duration{static_cast<std::int64_t>(bucket)};
  std::size_t doubling = bucket >> steps_bits;
  std::uint64_t step = (bucket & (steps - 1)) + steps + 1;
  return troupe::duration{static_cast<std::int64_t>((step << (doubling - 1)) - 1)};
}

}  // namespace service
