#pragma once

#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <troupe/actor/detail/request.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// The end of a request whose reply<T> was dropped: now, or with the handler that fails.
void fail_dropped(request_base& unanswered) noexcept;

template <class T, class M>
struct delegated_of;

}  // namespace detail

/// The right to answer one request, for a handler that answers later than it returns.
///
/// Dropped unanswered it fails the request at once, with `ask_errc::broken_reply`; what a handler
/// drops because it fails, with `receiver_failed` and what it has failed with, when it has ended.
/// For a message that was sent and not asked, what it is given is dropped.
/// Threads: one at a time; it may be moved to any.
/// Example:
///     void on(wait_for m, reply<int> r) { waiting_.push_back(std::move(r)); }
template <class T>
class reply {
public:
  explicit reply(detail::request<T>* to) noexcept : to_{to} {}
  reply(reply&& other) noexcept : to_{std::exchange(other.to_, nullptr)} {}
  reply& operator=(reply&& other) noexcept {
    std::swap(to_, other.to_);
    return *this;
  }
  ~reply() {
    if (to_ != nullptr) detail::fail_dropped(*to_);
  }

  /// Answers. Requires: not answered before.
  void answer(typename detail::request<T>::stored value) noexcept {
    if (to_ == nullptr) return;
    to_->set_value(std::move(value));
    std::exchange(to_, nullptr)->answer();
  }
  void answer() noexcept
    requires std::is_void_v<T>
  {
    answer(std::monostate{});
  }

  /// Fails the request, such as with `ask_errc::rejected`.
  void fail(ask_errc error) noexcept {
    if (to_ == nullptr) return;
    to_->set_error(error);
    std::exchange(to_, nullptr)->answer();
  }

  /// The same with words for who awaits it as an exception.
  void fail(ask_errc error, std::string why) noexcept {
    if (to_ == nullptr) return;
    to_->set_error(error, std::move(why));
    std::exchange(to_, nullptr)->answer();
  }
  /// Fails it as one whose handler has thrown `why`.
  void fail(const std::exception_ptr& why) noexcept {
    if (to_ == nullptr) return;
    to_->fail(why);
    std::exchange(to_, nullptr)->answer();
  }

  /// Returns: true when nobody waits for the answer any more.
  [[nodiscard]] bool caller_gone() const noexcept { return to_ == nullptr || to_->caller_gone(); }

  /// Returns: how long the caller will still wait, zero when that is over; nothing when it sets no
  /// limit, or has only sent. Coarse limits as coarsely as they are. In the handler alone.
  [[nodiscard]] std::optional<duration> time_left() const noexcept {
    return to_ == nullptr ? std::nullopt : detail::time_until(to_->answer_by());
  }

  /// For the framework. Returns: the request; null when it was answered, or only sent.
  [[nodiscard]] detail::request<T>* to() const noexcept { return to_; }

private:
  template <class, class>
  friend struct detail::delegated_of;

  detail::request<T>* to_;
};

}  // namespace troupe::inline v0_1
