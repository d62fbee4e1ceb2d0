#include <troupe/sync/event.hpp>

namespace troupe {

void event::set() noexcept {
  set_.store(true, std::memory_order_release);  // -> is_set
  detail::parking_lot::instance().wake(this, SIZE_MAX, [] {});
}

bool event::wait_operation::enlist(waker key) noexcept {
  return detail::parking_lot::instance().park(waiter_, awaited_, key,
                                              [this] { return !awaited_->is_set(); });
}

}  // namespace troupe
