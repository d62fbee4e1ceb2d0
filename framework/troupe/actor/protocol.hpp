#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <troupe/actor/detail/messages.hpp>

namespace troupe::inline v0_1 {

/// What an actor can be sent and asked, without its class: for a `ref` to any that handles this.
///
/// Each item is a message; one that names its `reply` can be asked too, and so can `R(M)`, where
/// the answer to M is an R. Requires: each message once.
///
/// A ref to one converts to a ref to a protocol of some items that stand together in it, in their
/// order: each of its items, its first two. For other choices keep the ref to the class.
/// Example:
///     using account = protocol<deposit, balance, report(audit)>;
///     void use(ref<account> any);   // A ref<savings> converts to it, and so does a ref<checking>.
template <class... Items>
struct protocol {};

namespace detail {

template <class T>
inline constexpr bool is_protocol = false;
template <class... Items>
inline constexpr bool is_protocol<protocol<Items...>> = true;

/// The message and the answer of one item; `no_answer` where it has none.
struct no_answer;
template <class M>
struct protocol_item {
  using message = M;
  using answer = no_answer;
};
template <class M>
  requires requires { typename M::reply; }
struct protocol_item<M> {
  using message = M;
  using answer = typename M::reply;
};
template <class R, class M>
struct protocol_item<R(M)> {
  using message = M;
  using answer = R;
};

template <class Item>
inline constexpr bool is_asked_item =
    !std::is_same_v<typename protocol_item<Item>::answer, no_answer>;

/// How one actor class takes one item.
struct protocol_entry {
  const envelope_table* send;
  const envelope_table* ask;       // Null where there is no answer.
  const envelope_table* delegate;  // The same.
};

template <class A, class Item>
constexpr bool fulfils_item() {
  using item = protocol_item<Item>;
  if constexpr (!handles<A, typename item::message>) {
    return false;
  } else if constexpr (is_asked_item<Item>) {
    return std::is_same_v<typename handler_of<A, typename item::message>::value_type,
                          typename item::answer>;
  } else {
    return true;
  }
}

template <class A, class Item>
constexpr protocol_entry entry_of() {
  using message = typename protocol_item<Item>::message;
  if constexpr (is_asked_item<Item>) {
    return {&sent<A, message>::table, &asked<A, message>::table, &delegated<A, message>::table};
  } else {
    return {&sent<A, message>::table, nullptr, nullptr};
  }
}

template <class A, class Protocol>
inline constexpr bool fulfils = false;
template <class A, class... Items>
inline constexpr bool fulfils<A, protocol<Items...>> = (fulfils_item<A, Items>() && ...);

template <class A, class Protocol>
struct protocol_table;
template <class A, class... Items>
struct protocol_table<A, protocol<Items...>> {
  static constexpr std::array<protocol_entry, sizeof...(Items)> entries{entry_of<A, Items>()...};
};

/// Where M stands in a protocol, and what it answers.
template <class M, class... Items>
struct find_item {
  static constexpr std::size_t index = 0;
  using answer = no_answer;
  static constexpr bool found = false;
};
template <class M, class First, class... Rest>
struct find_item<M, First, Rest...> {
  static constexpr bool here = std::is_same_v<M, typename protocol_item<First>::message>;
  using rest = find_item<M, Rest...>;
  static constexpr bool found = here || rest::found;
  static constexpr std::size_t index = here ? 0 : rest::index + 1;
  using answer =
      std::conditional_t<here, typename protocol_item<First>::answer, typename rest::answer>;
};

template <class Item>
inline constexpr char item_identity = 0;

/// Where the items of one protocol begin within another; SIZE_MAX when they are not there as a run.
template <class Part, class Whole>
inline constexpr std::size_t place_in_protocol = SIZE_MAX;
template <class... Part, class... Whole>
  requires(sizeof...(Part) <= sizeof...(Whole))
inline constexpr std::size_t place_in_protocol<protocol<Part...>, protocol<Whole...>> = [] {
  constexpr std::size_t parts = sizeof...(Part), wholes = sizeof...(Whole);
  // The address of a template's variable stands for a type.
  const std::array<const void*, parts> part{&item_identity<Part>...};
  const std::array<const void*, wholes> whole{&item_identity<Whole>...};
  for (std::size_t at = 0; at + parts <= wholes; ++at) {
    bool fits = true;
    for (std::size_t i = 0; i < parts; ++i) fits = fits && part[i] == whole[at + i];
    if (fits) return at;
  }
  return SIZE_MAX;
}();

/// How the verbs of a ref find what an actor does with a message: by its class ...
template <class A>
struct receiver {
  static constexpr bool is_class = true;
  template <class Given>
  using given = typename given_message<A, Given>::type;
  template <class M>
  using answer = typename asked_value<A, M>::type;
  template <class M>
  [[nodiscard]] const envelope_table& to_send() const noexcept {
    return sent<A, M>::table;
  }
  template <class M>
  [[nodiscard]] const envelope_table& to_ask() const noexcept {
    return asked<A, M>::table;
  }
  template <class M>
  [[nodiscard]] const envelope_table& to_delegate() const noexcept {
    return delegated<A, M>::table;
  }
  friend bool operator==(const receiver&, const receiver&) = default;
};

/// ... or by the table that its class has for a protocol.
template <class... Items>
struct receiver<protocol<Items...>> {
  static constexpr bool is_class = false;
  template <class M>
  static constexpr bool takes = find_item<M, Items...>::found;

  template <class Given>
  struct given_item {
    using type = std::remove_cvref_t<Given>;
    static_assert(takes<type>, "this protocol has no item for exactly this message type: add it");
    static_assert(std::is_constructible_v<type, Given>, "a message must be movable");
  };
  template <class Given>
  using given = typename given_item<Given>::type;

  template <class M>
  struct answer_of {
    static_assert(takes<M>, "this protocol has no item for exactly this message type M: add it");
    using type = typename find_item<M, Items...>::answer;
    static_assert(!takes<M> || !std::is_same_v<type, no_answer>,
                  "this protocol names no answer for M: give M a `using reply`, or list R(M)");
  };
  template <class M>
  using answer = typename answer_of<M>::type;
  template <class M>
  [[nodiscard]] const envelope_table& to_send() const noexcept {
    return *entries[find_item<M, Items...>::index].send;
  }
  template <class M>
  [[nodiscard]] const envelope_table& to_ask() const noexcept {
    return *entries[find_item<M, Items...>::index].ask;
  }
  template <class M>
  [[nodiscard]] const envelope_table& to_delegate() const noexcept {
    return *entries[find_item<M, Items...>::index].delegate;
  }
  /// It has the table of its actor's class, whichever way it came to it.
  friend bool operator==(const receiver&, const receiver&) { return true; }

  const protocol_entry* entries = nullptr;
};

}  // namespace detail
}  // namespace troupe::inline v0_1
