#include <troupe/pal/random.hpp>

#include <sys/random.h>

#include <chrono>

namespace troupe::inline v0_1::pal {

std::uint64_t entropy() noexcept {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) == sizeof number) return number;
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

}  // namespace troupe::inline v0_1::pal
