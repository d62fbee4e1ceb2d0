#include <troupe/pal/clock.hpp>

#include <troupe/base/assert.hpp>

namespace troupe::inline v0_1::pal {

namespace {

class machine_clock final : public clock {
public:
  time_point now() const noexcept override { return std::chrono::steady_clock::now(); }
  bool jump_to(time_point) noexcept override { return false; }
};

}  // namespace

clock& real_clock() noexcept {
  static machine_clock instance;
  return instance;
}

time_point virtual_clock::now() const noexcept {
  return time_point{duration{now_.load(std::memory_order_acquire)}};
}

bool virtual_clock::jump_to(time_point next) noexcept {
  auto target = next.time_since_epoch().count();
  auto seen = now_.load(std::memory_order_relaxed);
  while (seen < target && !now_.compare_exchange_weak(seen, target, std::memory_order_acq_rel)) {
  }
  return true;
}

void virtual_clock::advance(duration step) noexcept {
  TROUPE_ASSERT(step >= duration::zero());
  now_.fetch_add(step.count(), std::memory_order_acq_rel);
}

}  // namespace troupe::inline v0_1::pal
