#pragma once

#include <cstddef>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include <troupe/actor/actor.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// Requires: `who` is held meanwhile. Returns: false when the name stands for another that lives.
bool put_name(const executor& exec, std::string name, actor_block& who);
/// Returns: a reference to the actor of that name and class; null when there is none.
actor_block* take_named(const executor& exec, std::string_view name, const actor_table& of);
/// Returns: how many names are kept, also of actors that have ended.
[[nodiscard]] std::size_t count_names(const executor& exec);
void drop_name(const executor& exec, std::string_view name) noexcept;

inline constexpr const char* names_outside =
    "names of actors belong to a runtime: use them in a task or a handler [A26]";

}  // namespace detail

/// Makes an actor known by a name, on the current runtime. The name does not keep it alive, and is
/// free again when it has ended; a child that is started anew keeps it.
/// Returns: false when the name stands for another actor that lives.
/// Threads: workers. Bounds: one string and 32 bytes for each name; those of actors that have ended
/// stay for a while, never more than there are of others, or 16.
template <class A>
[[nodiscard]] bool register_actor(std::string name, const ref<A>& who,
                                  std::source_location where = std::source_location::current()) {
  return detail::put_name(detail::require_executor(detail::names_outside, where), std::move(name),
                          who.block());
}

/// Returns: the actor of that name, if there is one and it is an A.
template <std::derived_from<actor> A>
[[nodiscard]] std::optional<ref<A>> find_actor(
    std::string_view name, std::source_location where = std::source_location::current()) {
  detail::actor_block* found = detail::take_named(
      detail::require_executor(detail::names_outside, where), name, detail::table_of_actor<A>);
  if (found == nullptr) return std::nullopt;
  return ref<A>{*found};
}

/// Frees a name.
inline void unregister_actor(std::string_view name,
                             std::source_location where = std::source_location::current()) {
  detail::drop_name(detail::require_executor(detail::names_outside, where), name);
}

}  // namespace troupe::inline v0_1
