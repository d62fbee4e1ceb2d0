#pragma once

#include <functional>
#include <type_traits>
#include <utility>

#include <troupe/task/task.hpp>

namespace troupe::inline v0_1 {

template <class T>
class reply;

/// As the last parameter of a coroutine handler: the actor goes on with its other mail while this
/// handler waits. Handlers still never run at the same time, only in turns.
/// Example: `task<page> on(fetch m, interleaved);`
struct interleaved {};

namespace detail {

/// What is known of a handler: `A::on(M)`, `A::on(M&&)`, `A::on(const M&)`, const or not, alone or
/// with a `reply<T>` or `interleaved` behind; a plain function or a coroutine.
template <class M, class Returned, class Second>
struct handler_traits {
  using message = M;
  using returned = Returned;
  static constexpr bool is_coroutine = is_task<Returned>::value;
  static constexpr bool replies = false;  // It gets a reply<T> and answers when it likes.
  static constexpr bool is_interleaved = std::is_same_v<Second, interleaved>;
  static_assert(is_coroutine || !is_interleaved,
                "an interleaved handler must be a coroutine: a plain one has nothing to wait for");
  using value_type = typename task_value<Returned>::type;
};
template <class M, class Returned, class T>
struct handler_traits<M, Returned, reply<T>> {
  using message = M;
  using returned = Returned;
  static constexpr bool is_coroutine = is_task<Returned>::value;
  static constexpr bool replies = true;
  static constexpr bool is_interleaved = false;
  using value_type = T;
};

// One of these accepts &A::on, and then names its types, exactly when `on` has one overload with
// these very parameters: a template, or a parameter that M would have to be converted to, does not.
template <class M, class A, class R>
handler_traits<M, R, void> match_handler(R (A::*)(M));
template <class M, class A, class R>
handler_traits<M, R, void> match_handler(R (A::*)(M&&));
template <class M, class A, class R>
handler_traits<M, R, void> match_handler(R (A::*)(const M&));
template <class M, class A, class R>
handler_traits<M, R, void> match_handler(R (A::*)(M) const);
template <class M, class A, class R>
handler_traits<M, R, void> match_handler(R (A::*)(M&&) const);
template <class M, class A, class R>
handler_traits<M, R, void> match_handler(R (A::*)(const M&) const);
template <class M, class A, class R>
handler_traits<M, R, interleaved> match_handler(R (A::*)(M, interleaved));
template <class M, class A, class R>
handler_traits<M, R, interleaved> match_handler(R (A::*)(M&&, interleaved));
template <class M, class A, class R>
handler_traits<M, R, interleaved> match_handler(R (A::*)(const M&, interleaved));
template <class M, class A, class R, class T>
handler_traits<M, R, reply<T>> match_handler(R (A::*)(M, reply<T>));
template <class M, class A, class R, class T>
handler_traits<M, R, reply<T>> match_handler(R (A::*)(M&&, reply<T>));
template <class M, class A, class R, class T>
handler_traits<M, R, reply<T>> match_handler(R (A::*)(const M&, reply<T>));

/// A itself has a handler for M.
template <class A, class M>
concept handles_itself = requires { match_handler<M>(&A::on); };

/// The classes that an actor's behavior is one of; see behaviors.hpp.
template <class... Behaviors>
struct behavior_list {};

template <class M, class Behaviors>
inline constexpr bool all_handle = false;
template <class M, class... Behaviors>
inline constexpr bool all_handle<M, behavior_list<Behaviors...>> =
    (handles_itself<Behaviors, M> && ...);

template <class M, class Behaviors>
inline constexpr bool only_some_handle = false;
template <class M, class... Behaviors>
inline constexpr bool only_some_handle<M, behavior_list<Behaviors...>> =
    (handles_itself<Behaviors, M> || ...) && !(handles_itself<Behaviors, M> && ...);

template <class A>
concept has_behaviors = requires { typename A::behavior_types; };

/// A takes M by whatever its behavior is at present.
template <class A, class M>
concept handles_by_behavior =
    has_behaviors<A> && !handles_itself<A, M> && all_handle<M, typename A::behavior_types>;

/// A can take messages of type M.
template <class A, class M>
concept handles = handles_itself<A, M> || handles_by_behavior<A, M>;

template <class A, class M>
struct find_handler {
  using type = decltype(match_handler<M>(&A::on));
};

template <class M, class Behaviors>
struct common_handler;
template <class M, class First, class... Rest>
struct common_handler<M, behavior_list<First, Rest...>> {
  using type = typename find_handler<First, M>::type;
  static_assert((std::is_same_v<type, typename find_handler<Rest, M>::type> && ...),
                "the behaviors' handlers on(M) must all return the same type");
  static_assert(!type::is_interleaved,
                "a behavior's handler cannot be interleaved: it would outlive the behavior");
};
template <class A, class M>
  requires handles_by_behavior<A, M>
struct find_handler<A, M> : common_handler<M, typename A::behavior_types> {};

template <class A, class M>
using handler_of = typename find_handler<A, M>::type;

template <class A, class M>
constexpr bool misses_behavior() {
  if constexpr (has_behaviors<A> && !handles_itself<A, M>) {
    return only_some_handle<M, typename A::behavior_types>;
  }
  return false;
}

template <class M, class T>
struct names_another_reply : std::false_type {};
template <class M, class T>
  requires requires { typename M::reply; }
struct names_another_reply<M, T> : std::bool_constant<!std::is_same_v<typename M::reply, T>> {};

/// A would take an M in a call, though not by a handler of its own.
template <class A, class M>
concept takes_somehow = requires(A& to, M& message) { to.on(std::move(message)); };

template <class M>
inline constexpr bool is_reference_like = false;
template <class T>
inline constexpr bool is_reference_like<std::reference_wrapper<T>> = true;

/// M, as a message to A; refuses, in one line each, what cannot be sent.
template <class A, class M>
struct handled_message {
  static_assert(!misses_behavior<A, M>(),
                "only some behaviors of this actor have a handler on(M): write one in each");
  static_assert(
      handles<A, M> || takes_somehow<A, M> || misses_behavior<A, M>(),
      "this actor has no public handler on(M) for exactly this message type M: write one");
  static_assert(
      !is_reference_like<M>,
      "a message must not be a reference: what it refers to may be gone when it is handled");
  static_assert(handles<A, M> || !takes_somehow<A, M>,
                "on() takes this message type M only by a template, a conversion or a choice of "
                "overloads: write one on(M) for exactly M, and no on(auto)");
  using type = M;
};

/// The same for what is given as a `Given`, before anything is made of it.
template <class A, class Given>
struct given_message : handled_message<A, std::remove_cvref_t<Given>> {
  using type = std::remove_cvref_t<Given>;
  static_assert(
      std::is_constructible_v<type, Given>,
      "a message must be movable, and one given by its name copyable: move it, or take() it");
};

/// What a request M to A yields; refuses, in one line each, what cannot be asked.
template <class A, class M>
struct asked_value {
  using type = typename handler_of<A, typename handled_message<A, M>::type>::value_type;
  static_assert(!names_another_reply<M, type>::value,
                "the handler on(M) returns something else than M::reply: make them agree");
};

}  // namespace detail
}  // namespace troupe::inline v0_1
