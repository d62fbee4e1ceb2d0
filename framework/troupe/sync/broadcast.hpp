#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <troupe/base/assert.hpp>
#include <troupe/sync/detail/broadcast_core.hpp>
#include <troupe/task/operation.hpp>

namespace troupe::inline v0_1 {

/// Stands in the place of values that a receiver of a broadcast was too slow for.
struct lagged {
  std::uint64_t count = 0;  ///< How many values it has missed; at least one.
  friend bool operator==(const lagged&, const lagged&) = default;
};

template <class T>
class broadcast_receiver;

/// The sending end of a broadcast, copied to every task that sends.
///
/// When the last sender is gone receivers get what is left, then the end.
/// Threads: each copy by one thread at a time, also foreign ones.
template <class T>
class broadcast_sender {
public:
  broadcast_sender(const broadcast_sender& other) noexcept : core_{other.core_} {
    if (core_ != nullptr) core_->add_sender();
  }
  broadcast_sender(broadcast_sender&& other) noexcept
      : core_{std::exchange(other.core_, nullptr)} {}
  broadcast_sender& operator=(broadcast_sender other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~broadcast_sender() {
    if (core_ != nullptr) core_->remove_sender();
  }

  /// Sends to all receivers there are; never waits. When all places are taken the oldest value is
  /// overwritten.
  /// Returns: how many receivers there are; 0 when `value` was dropped since there is none.
  std::size_t send(T value) {
    return core().send(*detail::shared_value<T>::make(std::move(value)));
  }

  /// Returns: one more receiver, which gets what is sent from now on.
  [[nodiscard]] broadcast_receiver<T> subscribe() const {
    detail::broadcast_core& of = core();
    return broadcast_receiver<T>{of, of.add_receiver()};
  }

private:
  template <class U>
  friend struct broadcast_ends;
  explicit broadcast_sender(detail::broadcast_core& core) noexcept : core_{&core} {}

  detail::broadcast_core& core() const {
    if (core_ == nullptr) {
      misuse("a broadcast_sender was used after it was moved from: copy it instead [S05]");
    }
    return *core_;
  }

  detail::broadcast_core* core_;
};

/// One receiving end of a broadcast. Threads: one task at a time.
template <class T>
class broadcast_receiver {
public:
  broadcast_receiver(broadcast_receiver&& other) noexcept
      : core_{std::exchange(other.core_, nullptr)}, position_{other.position_} {}
  broadcast_receiver& operator=(broadcast_receiver&& other) noexcept {
    std::swap(core_, other.core_);
    std::swap(position_, other.position_);
    return *this;
  }
  ~broadcast_receiver() {
    if (core_ != nullptr) core_->remove_receiver(position_);
  }

  class recv_operation {
  public:
    static constexpr const char* name = "a value (broadcast)";

    explicit recv_operation(broadcast_receiver& source) noexcept : source_{&source} {}
    recv_operation(recv_operation&& other) noexcept : source_{other.source_} {}  // Before it waits.
    ~recv_operation() {
      if (found_.value != nullptr) detail::shared_link::let_go(*found_.value);
    }

    bool poll() noexcept {
      found_ = source_->core_->next(source_->position_);
      return found_.value != nullptr || found_.missed > 0 || found_.is_end;
    }
    bool enlist(waker key) noexcept {
      return source_->core_->sent().park(waiter_, key, source_->position_);
    }
    void delist() noexcept { detail::parking_lot::instance().leave(waiter_); }

    std::optional<std::variant<T, lagged>> take() {
      if (found_.missed > 0) return std::variant<T, lagged>{lagged{found_.missed}};
      if (found_.value == nullptr) return std::nullopt;
      auto& mine = static_cast<detail::shared_value<T>&>(*found_.value);
      // Alone, it is the last one that looks at the value.
      if (mine.is_held_once()) return std::variant<T, lagged>{std::move(mine.value)};
      return std::variant<T, lagged>{std::as_const(mine.value)};
    }

  private:
    broadcast_receiver* source_;
    detail::parked_waiter waiter_;
    detail::broadcast_core::found found_;
  };

  /// Waits for the next value.
  ///
  /// Returns: the value, or in its place `lagged` when this receiver was too slow for one or more,
  ///          after which it goes on with the oldest that is left; empty when all senders are gone
  ///          and nothing is left. Further calls return empty again.
  /// Requires: the receiver stays at its place until the await is over.
  /// Errors: what T's copy throws; the value counts as received.
  /// Cancel: no value is taken.
  [[nodiscard]] recv_operation recv() {
    if (core_ == nullptr)
      misuse(
          "a broadcast_receiver was used after it was moved from: use the one that has it now "
          "[S06]");
    return recv_operation{*this};
  }

private:
  friend class broadcast_sender<T>;
  template <class U>
  friend struct broadcast_ends;
  explicit broadcast_receiver(detail::broadcast_core& core, std::uint64_t position) noexcept
      : core_{&core}, position_{position} {}

  detail::broadcast_core* core_;
  std::uint64_t position_;  // Of the next value, counted from the first that was ever sent.
};

/// The first ends of a fresh broadcast: `auto [tx, rx] = broadcast<std::string>(64);`
template <class T>
struct broadcast_ends {
  broadcast_sender<T> tx;
  broadcast_receiver<T> rx;

  explicit broadcast_ends(std::uint32_t capacity)
      : broadcast_ends{*new detail::broadcast_core{capacity}} {}

private:
  explicit broadcast_ends(detail::broadcast_core& core) noexcept
      : tx{core}, rx{core, core.add_receiver()} {}
};

/// A channel whose values go to every receiver: many senders, many receivers, in one order.
///
/// No sender waits for a slow receiver: the last `capacity` values are kept, and who is behind them
/// is told how many it has missed. A value lives until the last receiver has passed it, or it is
/// overwritten.
///
/// Requires: `capacity` from 1 to 65 535 values; T can be copied.
/// Bounds:   eight bytes for each place, and one block for each value that is kept.
/// Source:   Tokio's broadcast.
/// Example:
///     auto [tx, rx] = broadcast<int>(16);
///     tx.send(1);
///     while (auto got = co_await rx.recv()) {
///       if (auto* gap = std::get_if<lagged>(&*got)) warn(gap->count);
///       else use(std::get<int>(*got));
///     }
template <class T>
[[nodiscard]] broadcast_ends<T> broadcast(std::uint32_t capacity) {
  static_assert(std::is_object_v<T> && std::is_copy_constructible_v<T>,
                "each receiver of a broadcast gets a copy: send a shared_ptr of what has none");
  static_assert(!std::is_same_v<T, lagged>, "a lagged that was sent could not be told from one");
  if (capacity < 1 || capacity > detail::broadcast_core::max_capacity) {
    misuse("broadcast(capacity): the capacity must be from 1 to 65535 [S07]");
  }
  return broadcast_ends<T>{capacity};
}

}  // namespace troupe::inline v0_1
