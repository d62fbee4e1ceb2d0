#pragma once

#include <string>
#include <string_view>

#include <troupe/node/detail/wire_refuse.hpp>
#include <troupe/node/detail/wire_types.hpp>

namespace troupe::inline v0_1::detail {

template <class T>
void describe(wire_layout& to);

template <class T>
constexpr bool is_char =
    std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
    std::same_as<T, char16_t> || std::same_as<T, char32_t>;

template <wire_number T>
constexpr char number_kind() {
  if (std::is_same_v<T, bool>) return 'b';
  if (std::is_floating_point_v<T>) return 'f';
  if (std::is_enum_v<T>) return 'e';
  if (is_char<T>) return 'c';  // Signed on some processors and not on others.
  return std::is_signed_v<T> ? 'i' : 'u';
}

template <class... Parts>
void describe_all(wire_layout& to, std::string_view name,
                  std::type_identity<std::tuple<Parts...>>) {
  to.begin(name);
  (describe<std::remove_cv_t<Parts>>(to), ...);
  to.end();
}

template <class T>
using parts_id = std::type_identity<typename parts_of<T>::type>;

template <class T>
void describe_time(wire_layout& to) {
  using clock = typename T::clock;
  bool is_system = std::same_as<clock, std::chrono::system_clock>;
  to.begin(is_system ? "system_clock" : std::string_view{type_spelled<clock>()});
  describe<typename T::duration>(to);
  to.end();
}

/// To name it is to check that a T can travel, whatever it consists of.
template <class T>
void describe(wire_layout& to) {
  if constexpr (wire_coded<T>) {
    if (!to.is_new(type_spelled<T>())) return;
    to.begin(type_spelled<T>());
    wire_codec<T>::describe(to);
    to.end();
  } else if constexpr (wire_number<T>) {
    to.number(number_kind<T>(), sizeof(T));
  } else if constexpr (wire_text<T>) {
    to.text("string");
  } else if constexpr (wire_duration<T>) {
    to.ticks<typename T::rep>(number_kind<typename T::rep>(), T::period::num, T::period::den);
  } else if constexpr (wire_time_point<T>) {
    describe_time<T>(to);
  } else if constexpr (is_of<T, std::optional>) {
    describe_all(to, "optional", parts_id<T>{});
  } else if constexpr (is_of<T, std::variant>) {
    describe_all(to, "variant", parts_id<T>{});
  } else if constexpr (is_array<T>) {
    to.begin("array " + std::to_string(std::tuple_size_v<T>));
    describe<typename T::value_type>(to);
    to.end();
  } else if constexpr (wire_parts<T>) {
    describe_all(to, "tuple", parts_id<T>{});
  } else if constexpr (wire_map<T>) {
    using parts = std::tuple<typename T::key_type, typename T::mapped_type>;
    describe_all(to, "map", std::type_identity<parts>{});
  } else if constexpr (wire_range<T>) {
    describe_all(to, "list", std::type_identity<std::tuple<typename T::value_type>>{});
  } else if constexpr (wire_struct<T>) {
    if (to.is_new(type_spelled<T>())) describe_all(to, type_spelled<T>(), parts_id<T>{});
  } else {
    refuse<T>();
  }
}

}  // namespace troupe::inline v0_1::detail
