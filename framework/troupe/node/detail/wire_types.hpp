#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/pfr/core.hpp>

#include <troupe/node/wire_bytes.hpp>

namespace troupe::inline v0_1::detail {

template <class T>
concept has_wire_codec = requires { sizeof(wire_codec<T>); };
template <class T>
concept wire_coded =
    has_wire_codec<T> && std::default_initializable<T> &&
    requires(wire_writer& to, wire_reader& from, wire_layout& layout, T& value, const T& given) {
      wire_codec<T>::write(to, given);
      { wire_codec<T>::read(from, value) } -> std::same_as<bool>;
      wire_codec<T>::describe(layout);
    };

template <class T, template <class...> class Template>
inline constexpr bool is_of = false;
template <template <class...> class Template, class... Args>
inline constexpr bool is_of<Template<Args...>, Template> = true;
template <class T>
inline constexpr bool is_array = false;
template <class T, std::size_t n>
inline constexpr bool is_array<std::array<T, n>> = true;

/// Any other enum has values that are none of it, and to make one of these is undefined.
template <class T>
concept wire_enum = std::is_enum_v<T> && requires { T{0}; };
template <class T>
concept wire_number =
    !has_wire_codec<T> && ((std::integral<T> && sizeof(T) <= 8) || std::same_as<T, float> ||
                           std::same_as<T, double> || wire_enum<T>);
template <class T>
concept wire_parts = (is_of<T, std::pair> || is_of<T, std::tuple>) &&
                     std::default_initializable<T> && std::is_move_assignable_v<T>;
template <class T>
concept wire_duration = is_of<T, std::chrono::duration> && wire_number<typename T::rep>;
template <class T>
concept wire_time_point =
    is_of<T, std::chrono::time_point> && wire_duration<typename T::duration> &&
    !requires { requires T::clock::is_steady; };
template <class T>
concept wire_text = is_of<T, std::basic_string> && std::same_as<typename T::value_type, char>;

/// What is 0 or 1 in memory and nothing else.
template <class T>
constexpr bool is_wire_bool() {
  if constexpr (std::is_enum_v<T>) return std::same_as<std::underlying_type_t<T>, bool>;
  return std::same_as<T, bool>;
}
/// What travels as it lies in memory.
template <class T>
concept wire_as_it_lies =
    wire_number<T> && !is_wire_bool<T>() && std::endian::native == std::endian::little;

// ---- structs

struct any_field {
  template <class Field>
  operator Field&() const&& noexcept;
  template <class Field>
  operator Field&() const& noexcept;
};
struct any_moved_field {
  template <class Field>
  operator Field() const&& noexcept;
};
struct no_field {};
template <class T>
struct any_base_of {
  template <class Base>
    requires(std::is_base_of_v<Base, T> && !std::same_as<Base, T>)
  operator Base() const noexcept;
};

/// Requires: an aggregate, here and below.
template <class T>
constexpr bool has_base = requires { T{any_base_of<T>{}}; } && !requires { T{no_field{}}; };

template <class T, class Any, std::size_t... Before, std::size_t... After>
constexpr bool is_one_field(std::index_sequence<Before...>, std::index_sequence<After...>) {
  return requires { T{(void(Before), Any{})..., {}, (void(After), Any{})...}; };
}
/// A C array counts as one field for each element, unless one pair of braces stands for it.
template <class T, std::size_t... I>
constexpr bool has_c_array(std::index_sequence<I...>) {
  using any = std::conditional_t<std::is_copy_constructible_v<T>, any_field, any_moved_field>;
  return !(is_one_field<T, any>(std::make_index_sequence<I>{},
                                std::make_index_sequence<sizeof...(I) - I - 1>{}) &&
           ...);
}
template <class T>
constexpr bool has_c_array() {
  return has_c_array<T>(std::make_index_sequence<boost::pfr::tuple_size_v<T>>{});
}

template <class T>
concept wire_aggregate = !has_wire_codec<T> && std::is_class_v<T> && std::is_aggregate_v<T> &&
                         !is_array<T> && !std::ranges::range<T>;
template <class T>
concept wire_struct =
    wire_aggregate<T> && std::default_initializable<T> && std::is_move_assignable_v<T> &&
    (std::is_empty_v<T> || (!has_base<T> && !has_c_array<T>()));

template <class T, std::size_t... I>
std::tuple<boost::pfr::tuple_element_t<I, T>...> fields_as_tuple(std::index_sequence<I...>);

template <class T>
struct parts_of;
template <template <class...> class Template, class... Parts>
  requires(!wire_struct<Template<Parts...>>)
struct parts_of<Template<Parts...>> {
  using type = std::tuple<Parts...>;
};
template <wire_struct T>
struct parts_of<T> {
  using type =
      decltype(fields_as_tuple<T>(std::make_index_sequence<boost::pfr::tuple_size_v<T>>{}));
};
template <wire_struct T>
  requires std::is_empty_v<T>
struct parts_of<T> {
  using type = std::tuple<>;
};

// ---- containers

template <class T>
constexpr bool is_nothing();
template <class... Parts>
constexpr bool are_nothing(std::type_identity<std::tuple<Parts...>>) {
  return (is_nothing<std::remove_const_t<Parts>>() && ...);
}
/// Whether a T takes no bytes, so that none of them say how many there can be.
template <class T>
constexpr bool is_nothing() {
  if constexpr (is_array<T>) {
    return std::tuple_size_v<T> == 0 || is_nothing<typename T::value_type>();
  } else if constexpr (wire_struct<T> || is_of<T, std::pair> || is_of<T, std::tuple>) {
    return are_nothing(std::type_identity<typename parts_of<T>::type>{});
  } else {
    return false;
  }
}

template <class T>
concept wire_container =
    !has_wire_codec<T> && std::ranges::input_range<T> && std::default_initializable<T> &&
    requires(T& all, typename T::value_type one) {
      all.insert(all.end(), std::move(one));
      all.size();
    };
template <class T>
concept wire_range = wire_container<T> && !is_nothing<typename T::value_type>();
template <class T>
concept wire_map = wire_range<T> && requires { typename T::mapped_type; };

/// The bits of a number.
template <std::size_t bytes>
struct bits_of_size;
template <>
struct bits_of_size<1> {
  using type = std::uint8_t;
};
template <>
struct bits_of_size<2> {
  using type = std::uint16_t;
};
template <>
struct bits_of_size<4> {
  using type = std::uint32_t;
};
template <>
struct bits_of_size<8> {
  using type = std::uint64_t;
};

}  // namespace troupe::inline v0_1::detail
