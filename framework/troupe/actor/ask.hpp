#pragma once

#include <utility>

#include <troupe/actor/detail/current.hpp>
#include <troupe/actor/detail/messages.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/room_wait.hpp>
#include <troupe/task/operation.hpp>

namespace troupe {

/// How long a request may take; the last argument of ask().
struct within {
  explicit within(duration length) noexcept : limit{length} {}
  duration limit;
};

namespace detail {

/// What send and ask share: the wait for room in a mailbox.
class mailbox_wait : public room_wait<actor_block> {
public:
  using room_wait::room_wait;

protected:
  /// Returns: false while there is no room and waiting for it makes sense; else `error` says why it
  /// was not taken, if it was not.
  bool try_push(envelope& message, ask_errc& error) noexcept;
};

/// One request on its way: sent when awaited, withdrawn when it is left.
template <class T>
class ask_operation : public mailbox_wait, public fallible_operation<ask_operation<T>> {
public:
  static constexpr const char* name = "an answer (ask)";

  ask_operation(actor_block& to, request<T>& made) noexcept : mailbox_wait{to}, request_{&made} {}
  ask_operation(ask_operation&& other) noexcept
      : mailbox_wait{other}, request_{std::exchange(other.request_, nullptr)} {}
  ~ask_operation() {
    if (request_ == nullptr) return;
    if (is_sent_) {
      (void)request_->withdraw();
    } else {
      request_->discard();
    }
  }

  bool poll() noexcept {
    if (is_sent_) return request_->settled();
    if (current_actor() == owner_)
      error_ = ask_errc::deadlock;  // It would wait for its own handler.
    if (error_ != ask_errc{}) return true;
    request_->arm(current_context()->current->current_waker());
    if (!try_push(*request_, error_)) return false;
    is_sent_ = error_ == ask_errc{};
    return !is_sent_ || request_->settled();
  }
  bool enlist(waker key) noexcept {
    return is_sent_ ? request_->enlist(key) : enlist_for_room(key);
  }
  void delist() noexcept {
    if (!is_sent_) delist_for_room();
  }
  result<T> take() {
    if (error_ != ask_errc{}) return failed_with<T>(make_error_code(error_));
    return std::exchange(request_, nullptr)->take();
  }

  /// Gives up before the answer. Returns: how the request fails.
  ask_errc expire() noexcept {
    if (!is_sent_) return ask_errc::mailbox_full;
    return std::exchange(request_, nullptr)->withdraw() ? ask_errc::timeout : ask_errc::expired;
  }

private:
  request<T>* request_;
  ask_errc error_{};
  bool is_sent_ = false;
};

/// The same with a limit of its own, exact as timers are.
template <class T>
class limited_ask_operation : public fallible_operation<limited_ask_operation<T>> {
public:
  static constexpr const char* name = ask_operation<T>::name;

  limited_ask_operation(actor_block& to, request<T>& made, within limit) noexcept
      : ask_{to, made}, limit_{limit.limit} {}

  void start() noexcept { limit_.start(); }
  bool poll() noexcept {
    if (ask_.poll()) return true;
    if (!limit_.poll()) return false;
    expired_ = ask_.expire();
    return true;
  }
  bool enlist(waker key) noexcept { return ask_.enlist(key) && limit_.enlist(key); }
  void delist() noexcept {
    ask_.delist();
    limit_.delist();
  }
  result<T> take() {
    if (expired_ != ask_errc{}) return failed_with<T>(make_error_code(expired_));
    return ask_.take();
  }

private:
  ask_operation<T> ask_;
  sleep_operation limit_;
  ask_errc expired_{};
};

/// One message on its way: sent when awaited.
template <class Sent>
class tell_operation final : public mailbox_wait, public fallible_operation<tell_operation<Sent>> {
public:
  static constexpr const char* name = "room in a mailbox (send)";

  tell_operation(actor_block& to, Sent& made) noexcept : mailbox_wait{to}, message_{&made} {}
  tell_operation(tell_operation&& other) noexcept
      : mailbox_wait{other}, message_{std::exchange(other.message_, nullptr)} {}
  ~tell_operation() {
    if (message_ != nullptr) Sent::finish(*message_, true);
  }

  bool poll() noexcept {
    TROUPE_ASSERT(message_ != nullptr);  // A send is awaited once.
    if (!try_push(*message_, error_)) return false;
    if (error_ == ask_errc{}) message_ = nullptr;
    return true;
  }
  bool enlist(waker key) noexcept { return enlist_for_room(key); }
  void delist() noexcept { delist_for_room(); }
  result<void> take() const noexcept {
    if (error_ != ask_errc{}) return make_error_code(error_);
    return {};
  }

  /// Gets the message back after the send has failed or was cancelled.
  /// Requires: it was not sent.
  [[nodiscard]] auto value() {
    TROUPE_ASSERT(message_ != nullptr);
    return std::move(message_->message);
  }

private:
  Sent* message_;
  ask_errc error_{};
};

}  // namespace detail
}  // namespace troupe
