#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <troupe/base/assert.hpp>
#include <troupe/base/memory.hpp>
#include <troupe/base/result.hpp>
#include <troupe/base/take.hpp>
#include <troupe/sync/detail/channel_core.hpp>
#include <troupe/sync/detail/send_wait.hpp>
#include <troupe/task/operation.hpp>

namespace troupe::inline v0_1 {

/// One end of an mpsc channel, copied to every task that sends.
///
/// When the last sender is gone the receiver gets what is left, then the end.
/// Threads: each copy by one thread at a time; try_send() and the destructor also by foreign
/// threads.
template <class T>
class sender {
public:
  sender(const sender& other) noexcept : core_{other.core_} {
    if (core_ != nullptr) core_->add_sender();
  }
  sender(sender&& other) noexcept : core_{std::exchange(other.core_, nullptr)} {}
  sender& operator=(sender other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~sender() {
    if (core_ != nullptr) core_->remove_sender();
  }

  class send_operation final : public detail::send_wait,
                               public detail::fallible_operation<send_operation> {
  public:
    static constexpr const char* name = "room in a channel (send)";

    send_operation(detail::channel_core& core, T&& value)
        : send_wait{core}, message_{detail::message<T>::make(std::move(value))} {}
    send_operation(send_operation&& other) noexcept
        : send_wait{other}, message_{std::exchange(other.message_, nullptr)} {}
    ~send_operation() {
      if (message_ != nullptr) detail::message<T>::destroy(*message_);
    }

    bool poll() noexcept {
      TROUPE_ASSERT(message_ != nullptr);  // A send is awaited once.
      if (!settle(owner_->push(*message_))) return false;
      if (outcome_ == detail::message_queue::pushed::sent) message_ = nullptr;
      return true;
    }
    result<void> take() const noexcept {
      if (outcome_ == detail::message_queue::pushed::closed) return make_error_code(errc::closed);
      return {};
    }

    /// Gets the value back after the send has failed or was cancelled.
    /// Requires: it was not sent.
    [[nodiscard]] T value() {
      TROUPE_ASSERT(message_ != nullptr);
      return std::move(message_->value);
    }

  private:
    detail::message<T>* message_;
  };

  /// Waits for room and sends.
  /// Errors: `errc::closed` when the receiver is gone or has closed the channel.
  /// Cancel: nothing was sent; the operation still owns the value (send_operation::value()).
  [[nodiscard]] send_operation send(T&& value,
                                    std::source_location where = std::source_location::current()) {
    static_assert(detail::rvalue_is_safe_to_await<T>,
                  "g++ before 12.3 miscompiles this: write co_await tx.send(take(local))");
    return send_operation{core(where), std::move(value)};
  }
  [[nodiscard]] send_operation send(const T& value,
                                    std::source_location where = std::source_location::current())
    requires std::is_copy_constructible_v<T>
  {
    return send_operation{core(where), T(value)};
  }
  [[nodiscard]] send_operation send(taken<T> value,
                                    std::source_location where = std::source_location::current()) {
    return send_operation{core(where), std::move(*value.from)};
  }

  /// Sends without waiting. Errors: `errc::full`, `errc::closed`; `value` is then untouched.
  /// Threads: any.
  result<void> try_send(T&& value) {
    static_assert(std::is_nothrow_move_constructible_v<T>, "try_send needs a nothrow move");
    detail::channel_core& to = core();
    if (to.queue().is_closed()) return make_error_code(errc::closed);
    if (!to.queue().has_room(to.capacity())) return make_error_code(errc::full);
    auto* message = detail::message<T>::make(std::move(value));
    switch (to.push(*message)) {
      case detail::message_queue::pushed::sent:
      case detail::message_queue::pushed::sent_to_idle:
        return {};
      case detail::message_queue::pushed::full:
        give_back(value, *message);
        return make_error_code(errc::full);
      case detail::message_queue::pushed::closed:
        break;
    }
    give_back(value, *message);
    return make_error_code(errc::closed);
  }
  result<void> try_send(const T& value)
    requires std::is_copy_constructible_v<T>
  {
    return try_send(T(value));
  }

  /// The right to send one message, without waiting and without failing.
  /// Dropping it unused gives its room back. A message sent when the receiver is gone is dropped.
  class permit {
  public:
    explicit permit(sender holder) noexcept : holder_{std::move(holder)} {}
    permit(permit&&) noexcept = default;
    permit& operator=(permit&& other) noexcept {
      std::swap(holder_, other.holder_);
      return *this;
    }
    ~permit() {
      if (holder_.core_ != nullptr) holder_.core_->return_reserved();
    }
    void send(T value) && {
      auto* message = detail::message<T>::make(std::move(value));  // Throws with the permit kept.
      sender holder{std::move(holder_)};
      holder.core().push_reserved(*message);
    }

  private:
    sender holder_;
  };

  class reserve_operation final : private detail::kept_sender<sender>,
                                  public detail::send_wait,
                                  public detail::fallible_operation<reserve_operation> {
  public:
    static constexpr const char* name = "room in a channel (reserve)";

    explicit reserve_operation(sender from) noexcept
        : detail::kept_sender<sender>{std::move(from)}, send_wait{this->kept.core()} {}

    bool poll() noexcept { return settle(owner_->reserve()); }
    result<permit> take() {
      if (outcome_ == detail::message_queue::pushed::closed) return make_error_code(errc::closed);
      return permit{std::move(this->kept)};
    }
  };

  /// Waits for room and keeps it. Errors: `errc::closed`. Cancel: no room is taken.
  /// In an unbounded channel a permit keeps nothing: its message is dropped after the end.
  [[nodiscard]] reserve_operation reserve() { return reserve_operation{sender{*this}}; }

  /// Returns: true when a send would fail with `errc::closed`.
  [[nodiscard]] bool closed() const noexcept {
    return core_ == nullptr || core_->queue().is_closed();
  }

private:
  template <class U>
  friend struct channel_ends;
  explicit sender(detail::channel_core& core) noexcept : core_{&core} {}

  detail::channel_core& core(std::source_location where = {}) const {
    if (core_ == nullptr)
      misuse("a sender was used after it was moved from: copy it instead [S09]", where);
    return *core_;
  }
  static void give_back(T& value, detail::message<T>& message) noexcept {
    std::destroy_at(&value);
    std::construct_at(&value, std::move(message.value));
    detail::message<T>::destroy(message);
  }

  detail::channel_core* core_;
};

/// The receiving end of an mpsc channel.
///
/// Dropping it closes the channel: senders get `errc::closed`, messages not yet received are
/// destroyed. Threads: one task at a time.
template <class T>
class receiver {
public:
  receiver(receiver&& other) noexcept : core_{std::exchange(other.core_, nullptr)} {}
  receiver& operator=(receiver&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~receiver() {
    if (core_ != nullptr) core_->remove_receiver();
  }

  class recv_operation final : public detail::receive_wait {
  public:
    static constexpr const char* name = "a message (recv)";
    using receive_wait::receive_wait;
    recv_operation(recv_operation&& other) noexcept : receive_wait{other} {}
    ~recv_operation() {
      if (found_ != nullptr) detail::message<T>::destroy(*found_);
    }

    bool poll() noexcept {
      found_ = static_cast<detail::message<T>*>(core_->pop());
      return found_ != nullptr || core_->at_end();
    }
    std::optional<T> take() {
      if (found_ == nullptr) return std::nullopt;
      return detail::message<T>::consume(*std::exchange(found_, nullptr));
    }

  private:
    detail::message<T>* found_ = nullptr;
  };

  /// Waits for the next message.
  /// Returns: the message; empty when the channel is closed, or all senders are gone, and nothing
  ///          is left. Further calls return empty again.
  /// Cancel: no message is taken.
  [[nodiscard]] recv_operation recv(std::source_location where = std::source_location::current()) {
    return recv_operation{core(where)};
  }

  class recv_many_operation final : public detail::receive_wait {
  public:
    static constexpr const char* name = "messages (recv_many)";
    recv_many_operation(detail::channel_core& core, std::vector<T>& out, std::size_t max) noexcept
        : receive_wait{core}, out_{&out}, max_{max} {}

    bool poll() noexcept {
      while (count_ < max_ && detail::has_space(*out_)) {
        auto* found = static_cast<detail::message<T>*>(core_->pop());
        if (found == nullptr) break;
        out_->push_back(detail::message<T>::consume(*found));
        ++count_;
      }
      return count_ > 0 || core_->at_end();
    }
    std::size_t take() const noexcept { return count_; }

  private:
    std::vector<T>* out_;
    std::size_t max_;
    std::size_t count_ = 0;
  };

  /// Waits for at least one message and appends up to `max` of those that are there to `out`.
  /// Returns: how many; 0 at the end, as recv().
  /// Requires: `max` above zero. Cancel: no message is taken.
  [[nodiscard]] recv_many_operation recv_many(std::vector<T>& out, std::size_t max) {
    static_assert(std::is_nothrow_move_constructible_v<T>, "recv_many needs a nothrow move");
    TROUPE_ASSERT(max > 0);
    out.reserve(out.size() + (max < 64 ? max : 64));
    return recv_many_operation{core(), out, max};
  }

  /// Takes a message without waiting. Errors: `errc::empty`; `errc::closed` at the end.
  [[nodiscard]] result<T> try_recv() {
    auto* found = static_cast<detail::message<T>*>(core().pop());
    if (found != nullptr) return succeeded_with<T>(detail::message<T>::consume(*found));
    return failed_with<T>(make_error_code(core_->at_end() ? errc::closed : errc::empty));
  }

  /// Refuses new messages; what was sent or reserved before is still received, then the end.
  void close() { core().close(); }

private:
  template <class U>
  friend struct channel_ends;
  explicit receiver(detail::channel_core& core) noexcept : core_{&core} {}

  detail::channel_core& core(std::source_location where = {}) const {
    if (core_ == nullptr) misuse("a receiver was moved from: use the new one [S10]", where);
    return *core_;
  }

  detail::channel_core* core_;
};

/// Both ends of a fresh channel: `auto [tx, rx] = mpsc<std::string>(1024);`
template <class T>
struct channel_ends {
  sender<T> tx;
  receiver<T> rx;

  explicit channel_ends(std::uint32_t capacity)
      : channel_ends{*new detail::channel_core{capacity, &detail::message<T>::destroy_link}} {}

private:
  explicit channel_ends(detail::channel_core& core) noexcept : tx{core}, rx{core} {}
};

/// A bounded channel: many senders, one receiver, first in first out per sender.
///
/// Requires: `capacity` from 1 to 65 535 messages. It is a count, not a buffer: an empty channel
/// holds no storage for messages.
/// Example:
///     auto [tx, rx] = mpsc<int>(16);
///     spawn([](sender<int> out) -> task<> { co_await out.send(1); }, std::move(tx));
///     while (auto n = co_await rx.recv()) use(*n);
template <class T>
[[nodiscard]] channel_ends<T> mpsc(std::uint32_t capacity,
                                   std::source_location where = std::source_location::current()) {
  static_assert(std::is_object_v<T> && std::is_move_constructible_v<T>, "messages must be movable");
  if (capacity < 1 || capacity > detail::message_queue::max_capacity) {
    misuse("mpsc(capacity): the capacity must be from 1 to 65535; see mpsc_unbounded() [S11]",
           where);
  }
  return channel_ends<T>{capacity};
}

/// The same without a bound: a sender never waits, and a slow receiver lets memory grow.
template <class T>
[[nodiscard]] channel_ends<T> mpsc_unbounded() {
  static_assert(std::is_object_v<T> && std::is_move_constructible_v<T>, "messages must be movable");
  return channel_ends<T>{0};
}

}  // namespace troupe::inline v0_1
