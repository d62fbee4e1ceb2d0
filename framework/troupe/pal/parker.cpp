#include <troupe/pal/parker.hpp>

#include <troupe/pal/detail/futex.hpp>

namespace troupe::inline v0_1::pal {

void parker::park(std::optional<time_point> until) noexcept {
  std::uint32_t seen = empty;
  if (word_.compare_exchange_strong(seen, parked, std::memory_order_relaxed)) {
    while (word_.load(std::memory_order_relaxed) == parked) {
      if (!detail::futex_wait(word_, parked, until)) break;
    }
  }
  word_.exchange(empty, std::memory_order_acquire);  // <- unpark
}

void parker::unpark() noexcept {
  if (word_.exchange(kept, std::memory_order_release) == parked) {  // -> park
    detail::futex_wake(word_);
  }
}

}  // namespace troupe::inline v0_1::pal
