#pragma once

#include <exception>
#include <string>
#include <utility>

#include <troupe/actor/detail/request.hpp>

namespace troupe {

/// The right to answer one request, for a handler that answers later than it returns.
///
/// Dropped unanswered it fails the request: `ask_errc::broken_reply`, or `receiver_failed` while an
/// exception leaves a plain handler. For a message that was sent and not asked, what it is given is
/// dropped. Threads: one at a time; it may be moved to any. Example:
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
    if (to_ == nullptr) return;
    bool unwinds = std::uncaught_exceptions() > 0;
    fail(unwinds ? ask_errc::receiver_failed : ask_errc::broken_reply);
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

  /// For the framework. Returns: the request; null when it was answered, or only sent.
  [[nodiscard]] detail::request<T>* to() const noexcept { return to_; }

private:
  detail::request<T>* to_;
};

}  // namespace troupe
