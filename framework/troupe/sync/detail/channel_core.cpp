#include <troupe/sync/detail/channel_core.hpp>

namespace troupe::inline v0_1::detail {

channel_core::~channel_core() {
  // Messages sent through a permit after the receiver had gone.
  while (message_link* left = pop()) destroy_(*left);
}

void channel_core::remove_sender() noexcept {
  if (senders_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  close();
  release();
}

void channel_core::remove_receiver() noexcept {
  close();
  while (message_link* left = pop()) destroy_(*left);
  release();
}

void channel_core::release() noexcept {
  if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void channel_core::close() noexcept {
  auto to_wake = queue_.close();
  if (to_wake.receiver_sleeps) wake_receiver();
  if (to_wake.senders_wait) wake_senders(SIZE_MAX);
}

void channel_core::return_reserved() noexcept {
  if (capacity_ == 0) return;
  auto found = queue_.give_back(1);
  if (found.wanted) wake_senders(1);
  if (found.at_end) wake_receiver();
}

bool channel_core::park_sender(parked_waiter& waiter, waker key) noexcept {
  return parking_lot::instance().park(waiter, this, key,
                                      [this] { return queue_.want_room(capacity_); });
}

void channel_core::wake_senders(std::size_t count) noexcept {
  parking_lot::instance().wake(this, count, [this] { queue_.room_is_wanted_no_more(); });
}

bool channel_core::take_more() noexcept {
  bool senders_wait = false;
  std::uint32_t rooms = begun_;
  taken_ = queue_.take_all(rooms, senders_wait);
  if (taken_ == nullptr) return false;
  begun_ = 0;
  if (senders_wait) wake_senders(rooms);
  return true;
}

void channel_core::give_back() noexcept {
  std::uint32_t rooms = std::exchange(begun_, 0);
  if (queue_.give_back(rooms).wanted) wake_senders(rooms);
}

bool channel_core::sleep(waker key) noexcept {
  receiver_.store(key.bits(), std::memory_order_relaxed);
  bool senders_wait = false;
  std::uint32_t rooms = begun_;
  if (!queue_.try_idle(rooms, senders_wait)) return false;
  begun_ = 0;
  if (senders_wait) wake_senders(rooms);
  return true;
}

}  // namespace troupe::inline v0_1::detail
