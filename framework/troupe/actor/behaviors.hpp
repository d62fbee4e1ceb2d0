#pragma once

#include <concepts>
#include <memory>
#include <utility>
#include <variant>

// First, so that what the compiler refuses there stands in the third line that it says.
#include <troupe/task/task.hpp>

#include <troupe/actor/detail/handler.hpp>

#include <troupe/actor/actor.hpp>

namespace troupe::inline v0_1 {

/// The base of an actor that behaves like one of several classes at a time; like the first one to
/// begin with, also after a restart.
///
/// They are classes with handlers, each with its own data, derived from `actor` for its self(). A
/// message that the actor has no handler of its own for goes to its behavior; all of them take the
/// same messages and return the same types, which is checked where one is sent.
/// `self().become<B>(args...)`, in any handler, makes it a B from the next message on: the present
/// behavior lives until then. A handler that fails ends the actor with both.
///
/// Requires: what a behavior starts by self().spawn() does not use the behavior itself.
/// Errors:   become() passes on what B's constructor throws; B must be one of `Behaviors`.
/// Example:
///     class locked : public troupe::actor {
///     public:
///       bool on(push) { return false; }
///       void on(coin);  // { self().become<unlocked>(); }
///     };
///     class turnstile : public troupe::behaviors<locked, unlocked> {};
template <class First, class... Others>
class behaviors : public actor {
public:
  using behavior_types = detail::behavior_list<First, Others...>;

  /// Makes the first one of `args`.
  template <class... Args>
    requires std::constructible_from<First, Args...>
  explicit behaviors(Args&&... args) : now_{std::make_unique<First>(std::forward<Args>(args)...)} {}

  /// For the framework: calls `act` with its behavior.
  template <class Act>
  decltype(auto) with_behavior(Act act) {
    if (becomes_another_) now_ = std::move(next_);
    becomes_another_ = false;
    return std::visit([&](auto& present) -> decltype(auto) { return act(*present); }, now_);
  }
  /// The same: takes over the next one, made by new. Returns: false when it is none of them.
  [[nodiscard]] bool take_behavior(void* made, const char* type_name) noexcept {
    bool taken = try_take<First>(made, type_name) || (try_take<Others>(made, type_name) || ...);
    becomes_another_ = becomes_another_ || taken;
    return taken;
  }

private:
  template <class B>
  bool try_take(void* made, const char* type_name) noexcept {
    if (type_name != detail::type_name<B>()) return false;
    next_ = std::unique_ptr<B>{static_cast<B*>(made)};
    return true;
  }

  std::variant<std::unique_ptr<First>, std::unique_ptr<Others>...> now_;
  std::variant<std::unique_ptr<First>, std::unique_ptr<Others>...> next_;
  bool becomes_another_ = false;
};

}  // namespace troupe::inline v0_1
