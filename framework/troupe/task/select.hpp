#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <troupe/task/detail/child.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// Which of `count` branches is looked at first turns round, so that one that is always ready hides
/// none. Steps of the golden ratio: evenly spread, also for a select that sees only every second
/// step, since another is nested in the same loop.
inline std::size_t next_rotation(std::size_t count) noexcept {
  std::uint32_t& turn = current_context()->rotation;
  turn += 0x9e3779b9U;
  return static_cast<std::size_t>((std::uint64_t{turn} * count) >> 32U);
}

template <class... Ops>
class select_operation {
  static constexpr std::size_t count = sizeof...(Ops);
  static constexpr std::size_t none = count;
  static constexpr bool has_structured = (structured_operation<Ops> || ...);

public:
  static constexpr const char* name = "the first of several (select)";
  using yield_type = std::variant<stored_yield<yield_of<Ops>>...>;

  template <class... Branches>
  explicit select_operation(std::source_location where, Branches&&... branches)
      : ops_{to_branch(std::forward<Branches>(branches), where)...} {}

  void start(std::source_location where = {}) {
    first_ = next_rotation(count);
    if constexpr (!has_structured) {
      std::apply([&](auto&... op) { (start_at(op, where), ...); }, ops_);
    } else {
      try {
        std::apply([&](auto&... op) { ((start_at(op, where), ++started_), ...); }, ops_);
      } catch (...) {  // Siblings that run already are stopped, and awaited all the same.
        start_error_ = std::current_exception();
        stop();
      }
    }
  }

  void stop() noexcept
    requires has_structured
  {
    if (!std::exchange(stopped_, true)) stop_losers();
  }

  bool poll() noexcept {
    if (winner_ == none && !stopped_) {
      for (std::size_t step = 0; step < count && winner_ == none; ++step) {
        look_at((first_ + step) % count, std::index_sequence_for<Ops...>{});
      }
      if (winner_ == none) return false;
      stop_losers();
    }
    return all_are_over(std::index_sequence_for<Ops...>{});
  }

  [[nodiscard]] bool committed() const noexcept
    requires has_structured
  {
    return winner_ != none;
  }

  bool enlist(waker key) noexcept { return enlist_all(key, std::index_sequence_for<Ops...>{}); }

  void delist() noexcept {
    std::apply([](auto&... op) { (op.delist(), ...); }, ops_);
  }

  yield_type take() {
    if (start_error_) std::rethrow_exception(start_error_);
    if (winner_ == none) return take_what_ended<0>();
    return take_winner<0>();
  }

  [[nodiscard]] std::size_t winner() const noexcept { return winner_; }
  template <std::size_t I>
  auto& branch() noexcept {
    return std::get<I>(ops_);
  }

private:
  template <std::size_t... I>
  void look_at(std::size_t wanted, std::index_sequence<I...>) noexcept {
    ((I == wanted && has_won(std::get<I>(ops_)) ? void(winner_ = I) : void()), ...);
  }

  // A nested race has won as soon as it has a winner: what that has taken must not be lost to a
  // branch that is ready while the nested losers unwind.
  template <class Op>
  static bool has_won(Op& op) noexcept {
    if (op.poll()) return true;
    if constexpr (early_committing_operation<Op>) return op.committed();
    return false;
  }

  void stop_losers() noexcept {
    std::size_t at = 0;
    auto visit = [&]<class Op>(Op& op) {
      if constexpr (structured_operation<Op>) {
        if (at != winner_ && at < started_) op.stop();
      }
      ++at;
    };
    std::apply([&](auto&... op) { (visit(op), ...); }, ops_);
  }

  // Only structured branches go on after the race: the losers unwind, and so do those inside the
  // winner. They are awaited (cancel.structured).
  template <std::size_t I>
  bool is_over() noexcept {
    using op = std::tuple_element_t<I, std::tuple<Ops...>>;
    if constexpr (structured_operation<op>) {
      return I >= started_ || std::get<I>(ops_).poll();
    } else {
      return true;
    }
  }

  template <std::size_t... I>
  bool all_are_over(std::index_sequence<I...>) noexcept {
    return (is_over<I>() && ...);
  }

  // Returns: false unless some branch will wake the task: the last loser may have ended since the
  // poll().
  template <std::size_t... I>
  bool enlist_all(waker key, std::index_sequence<I...>) noexcept {
    bool racing = winner_ == none && !stopped_;
    bool waits = false;
    auto enlist_one = [&]<std::size_t J>(std::integral_constant<std::size_t, J>) {
      if (!racing && is_over<J>()) return true;
      return waits = std::get<J>(ops_).enlist(key);
    };
    return (enlist_one(std::integral_constant<std::size_t, I>{}) && ...) && waits;
  }

  template <std::size_t I>
  yield_type take_winner() {
    if constexpr (I + 1 < count) {
      if (winner_ != I) return take_winner<I + 1>();
    }
    return take_branch<I>();
  }

  // A stop came before there was a winner: a child that has ended all the same is the one.
  template <std::size_t I>
  yield_type take_what_ended() {
    if constexpr (I == count) {
      throw canceled{};
    } else {
      if constexpr (structured_operation<std::tuple_element_t<I, std::tuple<Ops...>>>) {
        try {
          return take_branch<I>();
        } catch (const canceled&) {
          // Not this one.
        }
      }
      return take_what_ended<I + 1>();
    }
  }

  template <std::size_t I>
  yield_type take_branch() {
    auto& op = std::get<I>(ops_);
    if constexpr (std::is_void_v<decltype(take_unwrapped(op))>) {
      take_unwrapped(op);
      return yield_type{std::in_place_index<I>};
    } else {
      return yield_type{std::in_place_index<I>, take_unwrapped(op)};
    }
  }

  std::tuple<Ops...> ops_;
  std::size_t first_ = 0;
  std::size_t winner_ = none;
  std::size_t started_ = 0;         // Counted where there are structured ones.
  std::exception_ptr start_error_;  // Why the next one could not be.
  bool stopped_ = false;
};

}  // namespace detail

/// Waits for the first of several operations or tasks; the others are taken back.
///
/// A branch is an operation (`rx.recv()`, `sleep_for(1s)`, a join_handle, a oneshot_receiver) or a
/// task<T>, which then runs as a child at the same time. Losing operations are untouched: nothing
/// received, nothing sent. Losing tasks are asked to stop, and awaited until they have unwound;
/// what one of them has done by then is done, its value is destroyed, and an exception of it, but
/// for `canceled`, goes to the failure sink.
/// Which ready branch is looked at first rotates from call to call.
///
/// Returns: a variant whose index is the branch's; void branches yield std::monostate.
/// Errors:  what the winning branch throws; std::bad_alloc when one could not be started, after
///          those that run have been stopped and awaited.
/// Cancel:  every branch is taken back. A task that ends all the same, with a value or an exception
///          of its own, wins; only without one `canceled` is thrown.
/// Example:
///     auto first = co_await select(rx.recv(), sleep_for(1s));
///     if (first.index() == 1) fmt::print("nothing came\n");
template <detail::branch_source A, detail::branch_source B>
[[nodiscard]] auto select(A&& a, B&& b,
                          std::source_location where = std::source_location::current()) {
  return detail::select_operation<detail::branch_operation<A>, detail::branch_operation<B>>{
      where, std::forward<A>(a), std::forward<B>(b)};
}
template <detail::branch_source A, detail::branch_source B, detail::branch_source C,
          detail::branch_source... More>
[[nodiscard]] auto select(A&& a, B&& b, C&& c, More&&... more) {
  return detail::select_operation<detail::branch_operation<A>, detail::branch_operation<B>,
                                  detail::branch_operation<C>, detail::branch_operation<More>...>{
      std::source_location{}, std::forward<A>(a), std::forward<B>(b), std::forward<C>(c),
      std::forward<More>(more)...};
}

}  // namespace troupe::inline v0_1
