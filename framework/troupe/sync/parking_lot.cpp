#include <troupe/sync/parking_lot.hpp>

#include <troupe/base/immortal.hpp>

namespace troupe::inline v0_1::detail {

parking_lot& parking_lot::instance() noexcept {
  static immortal<parking_lot> lot;  // Channels may outlive statics.
  return lot.get();
}

bool parking_lot::leave(parked_waiter& waiter) noexcept {
  if (waiter.address == nullptr) return false;
  bucket& here = bucket_of(waiter.address);
  pal::lock guard{here.mutex};
  if (waiter.linked()) intrusive_list<parked_waiter>::erase(waiter);
  waiter.address = nullptr;
  return waiter.was_woken;
}

std::size_t parking_lot::claim(bucket& here, const void* address,
                               std::array<task_core*, batch>& claimed,
                               std::size_t wanted) noexcept {
  std::size_t count = 0;
  here.waiters.for_each([&](parked_waiter& waiter) {
    if (waiter.address != address || count == wanted) return;
    intrusive_list<parked_waiter>::erase(waiter);
    waiter.was_woken = true;
    // A task that is awake for another reason, or has not suspended yet, needs no scheduling. It
    // keeps the wake all the same, and passes it on if it does not use it (R2).
    if (task_core* task = waiter.key.claim()) claimed[count++] = task;
  });
  return count;
}

void parking_lot::claim_all(bucket& here, const void* address, claimed_tasks& claimed) noexcept {
  here.waiters.for_each([&](parked_waiter& waiter) {
    if (waiter.address != address) return;
    intrusive_list<parked_waiter>::erase(waiter);
    waiter.was_woken = true;
    claimed.claim(waiter.key);  // R3
  });
}

bool parking_lot::has_waiter(bucket& here, const void* address) noexcept {
  bool found = false;
  here.waiters.for_each([&](parked_waiter& waiter) { found |= waiter.address == address; });
  return found;
}

}  // namespace troupe::inline v0_1::detail
