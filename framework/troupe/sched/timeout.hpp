#pragma once

#include <source_location>
#include <type_traits>
#include <utility>

#include <troupe/sched/sleep.hpp>
#include <troupe/task/select.hpp>

namespace troupe::inline v0_1 {

namespace detail {

template <class T>
struct timeout_value {
  using type = T;
};
template <class T>
struct timeout_value<result<T>> {
  using type = T;
};
template <class T>
struct timeout_value<verbatim<T>> {
  using type = T;
};

/// An operation or a child task, raced against the clock.
template <class Op>
class timeout_operation : public fallible_operation<timeout_operation<Op>> {
  using inner = decltype(std::declval<Op&>().take());

public:
  static constexpr const char* name = Op::name;
  using value_type = typename timeout_value<inner>::type;

  template <class Branch>
  timeout_operation(std::source_location where, sleep_operation limit, Branch&& branch)
      : race_{where, std::forward<Branch>(branch), std::move(limit)} {}

  void start(std::source_location where) { race_.start(where); }
  void stop() noexcept
    requires structured_operation<Op>
  {
    race_.stop();
  }
  [[nodiscard]] bool committed() const noexcept
    requires structured_operation<Op>
  {
    return race_.committed();
  }
  bool poll() noexcept { return race_.poll(); }
  bool enlist(waker key) noexcept { return race_.enlist(key); }
  void delist() noexcept { race_.delist(); }

  result<value_type> take() {
    if (race_.winner() != 1) return take_outcome();  // When it was stopped, `canceled` mostly.
    if constexpr (structured_operation<Op>) {
      try {
        return take_outcome();
      } catch (const canceled&) {
        // As it was asked to.
      }
    }
    return failed_with<value_type>(make_error_code(errc::timed_out));
  }

private:
  result<value_type> take_outcome() {
    Op& op = race_.template branch<0>();
    if constexpr (std::is_same_v<inner, result<value_type>>) {
      return op.take();
    } else if constexpr (std::is_void_v<inner>) {
      op.take();
      return {};
    } else {
      return result<value_type>{boost::system::in_place_value, take_unwrapped(op)};
    }
  }

  select_operation<Op, sleep_operation> race_;
};

template <class Branch, class When>
auto make_timeout(std::source_location where, When when, Branch&& branch) {
  return timeout_operation<branch_operation<Branch>>{where, sleep_operation::as_limit(when),
                                                     std::forward<Branch>(branch)};
}

}  // namespace detail

/// Gives an operation or a task `length` of time.
///
/// Returns: what the operation yields; as result<T> with `.as_result()`.
/// Errors:  `errc::timed_out` as a system_error when the time is over first; what the operation
///          itself throws.
/// Cancel:  on time-out an operation is taken back untouched; a task is asked to stop and awaited.
///          A task that ends all the same, with a value or an exception of its own, was in time:
///          that is what this gives, as nobody else would. So it is when this is stopped itself.
/// Bounds:  never early; as late as sleep_for(), from 100 ms on up to 1 ms more.
///          When another task's turn computes for more than that right after this began, that may
///          count on top: of the first such turn among a thousand limits.
/// Example: `auto m = co_await timeout(50ms, rx.recv()).as_result();`
template <detail::branch_source Branch>
[[nodiscard]] auto timeout(duration length, Branch&& branch,
                           std::source_location where = std::source_location::current()) {
  return detail::make_timeout(where, length, std::forward<Branch>(branch));
}

/// The same up to a point in time.
template <detail::branch_source Branch>
[[nodiscard]] auto timeout_at(time_point deadline, Branch&& branch,
                              std::source_location where = std::source_location::current()) {
  return detail::make_timeout(where, deadline, std::forward<Branch>(branch));
}

}  // namespace troupe::inline v0_1
