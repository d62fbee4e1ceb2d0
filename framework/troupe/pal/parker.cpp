#include <troupe/pal/parker.hpp>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

namespace troupe::inline v0_1::pal {

namespace {

long futex(const void* word, int operation, std::uint32_t value, const timespec* until) noexcept {
  return ::syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, until, nullptr,
                   FUTEX_BITSET_MATCH_ANY);
}

timespec to_timespec(time_point at) noexcept {
  auto since = at.time_since_epoch();
  auto whole = std::chrono::floor<std::chrono::seconds>(since);
  return {static_cast<time_t>(whole.count()), static_cast<long>((since - whole).count())};
}

}  // namespace

void parker::park(std::optional<time_point> until) noexcept {
  std::uint32_t seen = empty;
  if (!word_.compare_exchange_strong(seen, parked, std::memory_order_relaxed)) {
    word_.exchange(empty, std::memory_order_acquire);  // <- unpark
    return;
  }
  timespec limit{};
  if (until) limit = to_timespec(*until);
  while (word_.load(std::memory_order_relaxed) == parked) {
    // FUTEX_WAIT_BITSET takes an absolute time of the monotonic clock.
    long status = futex(&word_, FUTEX_WAIT_BITSET, parked, until ? &limit : nullptr);
    if (status != 0 && until && std::chrono::steady_clock::now() >= *until) break;
  }
  word_.exchange(empty, std::memory_order_acquire);  // <- unpark
}

void parker::unpark() noexcept {
  if (word_.exchange(kept, std::memory_order_release) == parked) {  // -> park
    futex(&word_, FUTEX_WAKE, 1, nullptr);
  }
}

}  // namespace troupe::inline v0_1::pal
