#pragma once

#include <optional>

#include <troupe/sync/parking_lot.hpp>

namespace troupe::inline v0_1::detail {

/// Waiting in the parking lot for room in a channel or a mailbox, and handing an unused wake on.
/// Requires: an Owner has park_sender() and wake_senders(), and lives until the wait is gone.
template <class Owner>
class room_wait {
public:
  explicit room_wait(Owner& owner) noexcept : owner_{&owner} {}
  room_wait(const room_wait& other) noexcept : owner_{other.owner_} {}  // Before it has waited.
  room_wait& operator=(const room_wait&) = delete;
  ~room_wait() {
    if (holds_wake_) [[unlikely]]
      owner_->wake_senders(1);
  }

protected:
  bool enlist_for_room(waker key) noexcept {
    if (!waiter_) waiter_.emplace();
    return owner_->park_sender(*waiter_, key);
  }
  void delist_for_room() noexcept {
    if (waiter_) holds_wake_ |= parking_lot::instance().leave(*waiter_);
  }

  /// To be called at each try: a wake is used up by it, or there was no room after all, and then
  /// the next one that gives room back wakes the next sender.
  void use_wake() noexcept { holds_wake_ = false; }

  Owner* owner_;

private:
  std::optional<parked_waiter> waiter_;  // Most find room at once.
  bool holds_wake_ = false;
};

}  // namespace troupe::inline v0_1::detail
