#include <troupe/sync/event.hpp>

namespace troupe::inline v0_1 {

void event::set() noexcept {
  // As one step: a task that sees it set may go on and put another event in its place.
  detail::parking_lot::instance().wake_all(this, [this] {
    set_.store(true, std::memory_order_release);  // -> is_set
  });
}

bool event::wait_operation::enlist(waker key) noexcept {
  return detail::parking_lot::instance().park(waiter_, awaited_, key,
                                              [this] { return !awaited_->is_set(); });
}

}  // namespace troupe::inline v0_1
