#pragma once

#include <cstddef>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <boost/core/demangle.hpp>
#include <boost/pfr/core.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/detail/type_traits.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/serializer.hpp>

#include <troupe/version.hpp>

// What lets a plain struct be a CAF message without a line of CAF in it: inspect() for aggregates
// whose fields CAF can inspect, and leave to send it within the process for all other aggregates.
// To be included before the first use of such a struct in a message.
//
// A struct with an inspect() of its own keeps that. Not for structs with base classes or with
// members that are C arrays.

namespace troupe::inline v0_1::detail {

template <class T>
concept caf_aggregate = std::is_class_v<T> && std::is_aggregate_v<T> &&
                        std::is_copy_constructible_v<T> && !::caf::detail::is_iterable<T>::value;

template <class T, std::size_t... I>
constexpr bool fields_are_inspected(std::index_sequence<I...>) {
  return (::caf::detail::is_serializable<boost::pfr::tuple_element_t<I, T>>::value && ...);
}

/// An aggregate for which CAF has all that it needs in its fields.
template <class T>
constexpr bool is_caf_struct() {
  if constexpr (!caf_aggregate<T> || !std::is_default_constructible_v<T>) {
    return false;
  } else if constexpr (std::is_empty_v<T>) {
    return true;
  } else {
    return fields_are_inspected<T>(std::make_index_sequence<boost::pfr::tuple_size_v<T>>{});
  }
}
template <class T>
concept caf_struct = is_caf_struct<T>();

/// The name of a type as a C++ program spells it.
template <class T>
const char* caf_type_name() {
  if constexpr (std::is_same_v<T, std::string>) return "std::string";
  static const std::string name = boost::core::demangle(typeid(T).name());
  return name.c_str();
}

}  // namespace troupe::inline v0_1::detail

namespace caf {

/// Found through the namespace of the inspector.
template <class Inspector, ::troupe::detail::caf_struct T>
typename Inspector::result_type inspect(Inspector& f, T& x) {
  if constexpr (std::is_empty_v<T>) {
    return f(meta::type_name(::troupe::detail::caf_type_name<T>()));
  } else {
    return std::apply(
        [&](auto&... fields) {
          return f(meta::type_name(::troupe::detail::caf_type_name<T>()), fields...);
        },
        boost::pfr::structure_tie(x));
  }
}

namespace detail {
using ::caf::inspect;  // For stringification_inspector, which lives here.
}

template <class T>
  requires(::troupe::detail::caf_aggregate<T> && !::troupe::detail::caf_struct<T>)
struct allowed_unsafe_message_type<T> : std::true_type {};

}  // namespace caf
