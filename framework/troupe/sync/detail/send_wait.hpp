#pragma once

#include <memory>
#include <new>
#include <utility>
#include <vector>

#include <troupe/base/memory.hpp>
#include <troupe/sync/detail/channel_core.hpp>
#include <troupe/sync/room_wait.hpp>

namespace troupe::inline v0_1::detail {

/// One message in its channel.
template <class T>
struct message final : message_link {
  explicit message(T&& from) : value{std::move(from)} {}
  T value;

  static message* make(T&& value) {
    static_assert(alignof(T) <= 16, "over-aligned messages are not supported");
    void* block = allocate(sizeof(message));
    if constexpr (std::is_nothrow_move_constructible_v<T>) {
      return new (block) message{std::move(value)};
    } else {
      try {
        return new (block) message{std::move(value)};
      } catch (...) {
        deallocate(block, sizeof(message));
        throw;
      }
    }
  }
  static void destroy(message& self) noexcept {
    std::destroy_at(&self);
    deallocate(&self, sizeof(message));
  }
  static void destroy_link(message_link& self) noexcept { destroy(static_cast<message&>(self)); }

  static T consume(message& self) {
    struct guard {
      message& self;
      ~guard() { destroy(self); }
    } last{self};
    return std::move(self.value);
  }
};

/// What send and reserve share: the wait for room, and what came of a try.
class send_wait : public room_wait<channel_core> {
public:
  using room_wait::room_wait;

  bool enlist(waker key) noexcept { return enlist_for_room(key); }
  void delist() noexcept { delist_for_room(); }

protected:
  /// Takes note of a try. Returns: true when the operation is over.
  bool settle(message_queue::pushed how) noexcept {
    use_wake();
    outcome_ = how == message_queue::pushed::sent_to_idle ? message_queue::pushed::sent : how;
    return how != message_queue::pushed::full;
  }

  message_queue::pushed outcome_ = message_queue::pushed::full;
};

/// A sender that outlives the wait that is based beside it: the wait's last act needs the channel.
template <class Sender>
struct kept_sender {
  Sender kept;
};

/// Returns: whether one more can be appended. Without memory for more, recv_many ends with what it
/// has: it began with space for at least one.
template <class T>
bool has_space(std::vector<T>& out) noexcept {
  if (out.size() < out.capacity()) return true;
  try {
    out.reserve(2 * out.size());
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

/// What recv and recv_many share: the receiver's sleep.
class receive_wait {
public:
  explicit receive_wait(channel_core& core) noexcept : core_{&core} {}

  bool enlist(waker key) noexcept { return core_->sleep(key); }
  void delist() noexcept { core_->leave_idle(); }

protected:
  channel_core* core_;
};

}  // namespace troupe::inline v0_1::detail
