#pragma once

#include <concepts>
#include <cstddef>
#include <ranges>
#include <type_traits>

#include <troupe/node/detail/wire_types.hpp>

namespace troupe::inline v0_1::detail {

template <class T>
concept wire_pointer =
    std::is_pointer_v<T> || std::is_member_pointer_v<T> || std::is_null_pointer_v<T> ||
    (std::is_class_v<T> && requires(T& to) { *to; });

template <class T>
constexpr bool can_travel = false;

/// Why a T cannot travel: the first reason that holds, in one line of the compiler, once for each
/// T.
template <class T>
void refuse() {
  if constexpr (has_wire_codec<T>) {
    static_assert(can_travel<T>,
                  "wire_codec<T> needs write(), read() that returns bool, and describe(); T needs "
                  "a default constructor");
  } else if constexpr (std::is_enum_v<T>) {
    static_assert(can_travel<T>,
                  "an enum without a fixed type cannot travel to another node: write `enum class`, "
                  "or its type behind a colon");
  } else if constexpr (std::is_arithmetic_v<T>) {
    static_assert(can_travel<T>, "a long double cannot travel to another node: send a double");
  } else if constexpr (wire_pointer<T>) {
    static_assert(can_travel<T>, "a pointer cannot travel to another node: send what it points to");
  } else if constexpr (std::is_reference_v<T>) {
    static_assert(can_travel<T>, "a reference cannot travel to another node: send a value");
  } else if constexpr (std::ranges::view<T>) {
    static_assert(can_travel<T>,
                  "a string_view or a span cannot travel to another node: send a string or a "
                  "vector");
  } else if constexpr (std::is_array_v<T>) {
    static_assert(can_travel<T>, "a C array cannot travel to another node: send a std::array");
  } else if constexpr (is_of<T, std::chrono::time_point>) {
    static_assert(can_travel<T>,
                  "a time of a steady clock means nothing on another node: send a duration, or a "
                  "time of system_clock");
  } else if constexpr (wire_container<T>) {
    static_assert(can_travel<T>,
                  "a container of what takes no bytes cannot travel to another node: send the "
                  "number of its elements");
  } else if constexpr (wire_aggregate<T> && !std::is_move_assignable_v<T>) {
    static_assert(can_travel<T>,
                  "a struct with a reference or something const in it cannot travel to another "
                  "node: hold values");
  } else if constexpr (wire_aggregate<T> && !std::default_initializable<T>) {
    static_assert(can_travel<T>,
                  "a struct with a field that has no default, such as a ref, cannot travel to "
                  "another node: give each field a default");
  } else if constexpr (wire_aggregate<T> && has_base<T>) {
    static_assert(can_travel<T>,
                  "a struct with a base cannot travel to another node: hold the base as a field");
  } else if constexpr (wire_aggregate<T>) {
    static_assert(can_travel<T>,
                  "a struct with a C array cannot travel to another node: hold a std::array");
  } else {
    static_assert(can_travel<T>,
                  "this type cannot travel to another node: only values and structs of them do, "
                  "with public fields and no constructors; or specialize troupe::wire_codec<T>");
  }
}

}  // namespace troupe::inline v0_1::detail
