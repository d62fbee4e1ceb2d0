#pragma once

#include <type_traits>

#include <troupe/task/task.hpp>

namespace troupe {

template <class T>
class reply;

namespace detail {

/// What is known of a handler: `A::on(M)`, `A::on(M&&)`, `A::on(const M&)`, const or not, alone or
/// with a `reply<T>` behind; a plain function or a coroutine.
template <class M, class Returned, class ReplyValue>
struct handler_traits {
  using message = M;
  using returned = Returned;
  static constexpr bool is_coroutine = is_task<Returned>::value;
  /// It gets a reply<T> and answers when it likes.
  static constexpr bool replies = !std::is_same_v<ReplyValue, struct none>;
  using value_type = std::conditional_t<replies, ReplyValue, typename task_value<Returned>::type>;
};

// One of these accepts &A::on, and then names its types, exactly when `on` has one overload with
// these very parameters: a template, or a parameter that M would have to be converted to, does not.
template <class M, class A, class R>
handler_traits<M, R, none> match_handler(R (A::*)(M));
template <class M, class A, class R>
handler_traits<M, R, none> match_handler(R (A::*)(M&&));
template <class M, class A, class R>
handler_traits<M, R, none> match_handler(R (A::*)(const M&));
template <class M, class A, class R>
handler_traits<M, R, none> match_handler(R (A::*)(M) const);
template <class M, class A, class R>
handler_traits<M, R, none> match_handler(R (A::*)(M&&) const);
template <class M, class A, class R>
handler_traits<M, R, none> match_handler(R (A::*)(const M&) const);
template <class M, class A, class R, class T>
handler_traits<M, R, T> match_handler(R (A::*)(M, reply<T>));
template <class M, class A, class R, class T>
handler_traits<M, R, T> match_handler(R (A::*)(M&&, reply<T>));
template <class M, class A, class R, class T>
handler_traits<M, R, T> match_handler(R (A::*)(const M&, reply<T>));

/// A can take messages of type M.
template <class A, class M>
concept handles = requires { match_handler<M>(&A::on); };

template <class A, class M>
using handler_of = decltype(match_handler<M>(&A::on));

template <class M, class T>
struct names_another_reply : std::false_type {};
template <class M, class T>
  requires requires { typename M::reply; }
struct names_another_reply<M, T> : std::bool_constant<!std::is_same_v<typename M::reply, T>> {};

/// What a request M to A yields; refuses, in one line each, what cannot be asked.
template <class A, class M>
struct asked_value {
  static_assert(handles<A, M>,
                "this actor has no handler on(M) for exactly this message type M: write one");
  using type = typename handler_of<A, M>::value_type;
  static_assert(!names_another_reply<M, type>::value,
                "the handler on(M) returns something else than M::reply: make them agree");
};

}  // namespace detail
}  // namespace troupe
