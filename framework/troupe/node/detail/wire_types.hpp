#pragma once

#include <array>
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

#include <troupe/node/wire_bytes.hpp>

namespace troupe::inline v0_1::detail {

template <class T>
concept has_wire_codec =
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

template <class T>
concept wire_number = std::is_arithmetic_v<T> || std::is_enum_v<T>;
template <class T>
concept wire_parts = is_array<T> || is_of<T, std::pair> || is_of<T, std::tuple>;
template <class T>
concept wire_time_point = is_of<T, std::chrono::time_point>;
template <class T>
concept wire_duration = is_of<T, std::chrono::duration>;
template <class T>
concept wire_text = is_of<T, std::basic_string> && std::same_as<typename T::value_type, char>;
template <class T>
concept wire_map = requires { typename T::mapped_type; } && std::ranges::input_range<T>;
template <class T>
concept wire_range = std::ranges::input_range<T> && std::default_initializable<T> &&
                     requires(T& all, typename T::value_type one) {
                       all.insert(all.end(), std::move(one));
                       all.size();
                     };
template <class T>
concept wire_struct =
    std::is_class_v<T> && std::is_aggregate_v<T> && !wire_parts<T> && !std::ranges::range<T>;

template <class T>
concept wire_contiguous =
    std::ranges::contiguous_range<T> && wire_number<typename T::value_type> &&
    !std::same_as<typename T::value_type, bool> && requires(T& all) { all.resize(1); };

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

template <class T>
constexpr bool cannot_travel = false;

}  // namespace troupe::inline v0_1::detail
