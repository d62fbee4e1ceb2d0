#include <troupe/pal/detail/futex.hpp>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

namespace troupe::inline v0_1::pal::detail {

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

bool futex_wait(const pal::atomic<std::uint32_t>& word, std::uint32_t value,
                std::optional<time_point> until) noexcept {
  timespec limit{};
  if (until) limit = to_timespec(*until);
  // FUTEX_WAIT_BITSET takes an absolute time of the monotonic clock.
  long status = futex(&word, FUTEX_WAIT_BITSET, value, until ? &limit : nullptr);
  return status == 0 || !until || std::chrono::steady_clock::now() < *until;
}

void futex_wake(const pal::atomic<std::uint32_t>& word) noexcept {
  futex(&word, FUTEX_WAKE, 1, nullptr);
}

}  // namespace troupe::inline v0_1::pal::detail
