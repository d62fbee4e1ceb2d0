#pragma once

#include <source_location>
#include <utility>

#include <troupe/task/detail/child.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// Clean-up has no part in the deadline of the request that is handled, which may be over.
template <class T>
class shielded_child final : public child_operation<T> {
public:
  using child_operation<T>::child_operation;
  [[nodiscard]] envelope* message() const noexcept override { return nullptr; }
};

template <class T>
class shield_operation {
public:
  static constexpr const char* name = "the end of a shielded task";

  explicit shield_operation(task<T>&& body, std::source_location where) noexcept
      : child_{std::move(body), where} {}

  void start() { child_.start(); }
  void stop() noexcept {}  // Out of reach; a race that it has lost waits for its end.
  [[nodiscard]] bool shielded() const noexcept { return true; }
  bool poll() noexcept { return child_.poll(); }
  bool enlist(waker key) noexcept { return child_.enlist(key); }
  void delist() noexcept { child_.delist(); }
  T take() { return child_.take(); }

private:
  shielded_child<T> child_;
};

}  // namespace detail

/// Runs `body` to its end out of reach of stop requests: for the clean-up that has to await.
///
/// Returns: what `body` returns. Errors: what it throws.
/// Cancel:  not before `body` has ended; the next wait after it throws `canceled`. Only the stop of
///          the whole runtime, at four fifths of its budget, reaches `body` itself. As a branch of
///          a select or timeout it holds that up until it has ended. In a handler, what `body` asks
///          has the default deadline, not that of the request that is handled.
/// Example: `catch (const canceled&) { failed = true; } if (failed) co_await shield(say_bye());`
template <class T>
[[nodiscard]] auto shield(task<T> body,
                          std::source_location where = std::source_location::current()) {
  return detail::shield_operation<T>{std::move(body), where};
}

}  // namespace troupe::inline v0_1
