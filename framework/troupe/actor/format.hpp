#pragma once

#include <string>
#include <string_view>

#include <troupe/actor/actor_id.hpp>
#include <troupe/actor/errors.hpp>
#include <troupe/actor/exit_reason.hpp>
#include <troupe/actor/monitor.hpp>
#include <troupe/actor/ref.hpp>
#include <troupe/actor/undelivered.hpp>
#include <troupe/base/format.hpp>

/// What fmt prints of actors, with the options of a string. Apart from actor.hpp, so that who
/// prints nothing compiles no fmt.
///
///   actor_id            actor@7f0c2a40.3, the same for all refs of one actor; `no actor`
///   ref<A>              counter@7f0c2a40.3: its name, and what tells it from its namesakes
///   exit_kind           stopped
///   exit_reason         failed: what the exception says
///   down                counter has ended: stopped
///   undelivered         a message's type, and why it was not run
///   ask_errc, errc      their one line; any boost::system::error_code too
///
/// Requires: a ref was not moved from.

template <>
struct fmt::formatter<troupe::actor_id> : fmt::formatter<std::string_view> {
  static std::string text(std::string_view name, const troupe::actor_id& of) {
    return fmt::format("{}@{:x}.{}", name, reinterpret_cast<std::uintptr_t>(of.block),
                       of.generation);
  }
  template <class Context>
  auto format(const troupe::actor_id& of, Context& to) const {
    return fmt::formatter<std::string_view>::format(
        of.block == nullptr ? std::string{"no actor"} : text("actor", of), to);
  }
};

template <class A>
struct fmt::formatter<troupe::ref<A>> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const troupe::ref<A>& to_actor, Context& to) const {
    return fmt::formatter<std::string_view>::format(
        fmt::formatter<troupe::actor_id>::text(to_actor.name(), to_actor.id()), to);
  }
};

template <>
struct fmt::formatter<troupe::exit_kind> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(troupe::exit_kind kind, Context& to) const {
    return fmt::formatter<std::string_view>::format(troupe::to_string(kind), to);
  }
};

template <>
struct fmt::formatter<troupe::exit_reason> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const troupe::exit_reason& why, Context& to) const {
    return fmt::formatter<std::string_view>::format(troupe::to_string(why), to);
  }
};

template <>
struct fmt::formatter<troupe::down> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const troupe::down& notice, Context& to) const {
    const char* more = notice.restarts ? "; its supervisor starts it anew" : "";
    return fmt::formatter<std::string_view>::format(
        fmt::format("{} has ended: {}{}", notice.name, troupe::to_string(notice.why), more), to);
  }
};

template <>
struct fmt::formatter<troupe::ask_errc> : fmt::formatter<boost::system::error_code> {
  template <class Context>
  auto format(troupe::ask_errc code, Context& to) const {
    return fmt::formatter<boost::system::error_code>::format(make_error_code(code), to);
  }
};

template <>
struct fmt::formatter<troupe::undelivered> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const troupe::undelivered& lost, Context& to) const {
    return fmt::formatter<std::string_view>::format(
        fmt::format("{}: {}", lost.message, make_error_code(lost.reason).message()), to);
  }
};
