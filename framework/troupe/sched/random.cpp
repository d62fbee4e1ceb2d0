#include <troupe/sched/random.hpp>

#include <troupe/sched/detail/worker.hpp>

namespace troupe::inline v0_1 {

std::uint64_t random_number() noexcept {
  if (detail::current_context() != nullptr) return detail::current_worker().numbers().next();
  static thread_local pal::random numbers{pal::entropy()};
  return numbers.next();
}

}  // namespace troupe::inline v0_1
