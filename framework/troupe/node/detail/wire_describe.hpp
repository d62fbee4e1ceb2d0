#pragma once

#include <string>
#include <string_view>

#include <boost/pfr/core.hpp>

#include <troupe/node/detail/wire_types.hpp>

namespace troupe::inline v0_1::detail {

template <class T>
void describe(wire_layout& to);

template <class T>
constexpr char number_kind() {
  if (std::is_same_v<T, bool>) return 'b';
  if (std::is_floating_point_v<T>) return 'f';
  if (std::is_enum_v<T>) return 'e';
  return std::is_signed_v<T> ? 'i' : 'u';
}

template <class... Parts>
void describe_all(wire_layout& to, std::string_view name,
                  std::type_identity<std::tuple<Parts...>>) {
  to.begin(name);
  (describe<std::remove_cvref_t<Parts>>(to), ...);
  to.end();
}

template <class T, std::size_t... I>
void describe_struct(wire_layout& to, std::index_sequence<I...>) {
  using parts = std::tuple<boost::pfr::tuple_element_t<I, T>...>;
  describe_all(to, type_spelled<T>(), std::type_identity<parts>{});
}

template <class>
struct parts_of;
template <template <class...> class Template, class... Parts>
struct parts_of<Template<Parts...>> {
  using type = std::tuple<Parts...>;
};

template <class T>
void describe(wire_layout& to) {
  if constexpr (has_wire_codec<T>) {
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
    to.begin(type_spelled<typename T::clock>());
    describe<typename T::duration>(to);
    to.end();
  } else if constexpr (is_of<T, std::optional>) {
    describe_all(to, "optional", std::type_identity<std::tuple<typename T::value_type>>{});
  } else if constexpr (is_of<T, std::variant>) {
    describe_all(to, "variant", std::type_identity<typename parts_of<T>::type>{});
  } else if constexpr (std::same_as<T, std::monostate>) {
    to.text("monostate");
  } else if constexpr (is_array<T>) {
    to.begin("array " + std::to_string(std::tuple_size_v<T>));
    describe<typename T::value_type>(to);
    to.end();
  } else if constexpr (wire_parts<T>) {
    describe_all(to, "tuple", std::type_identity<typename parts_of<T>::type>{});
  } else if constexpr (wire_map<T>) {
    using parts = std::tuple<typename T::key_type, typename T::mapped_type>;
    describe_all(to, "map", std::type_identity<parts>{});
  } else if constexpr (wire_range<T>) {
    describe_all(to, "list", std::type_identity<std::tuple<typename T::value_type>>{});
  } else if constexpr (wire_struct<T>) {
    if (!to.enter(type_spelled<T>())) return;  // A struct that holds itself.
    if constexpr (std::is_empty_v<T>) {
      to.begin(type_spelled<T>());
      to.end();
    } else {
      describe_struct<T>(to, std::make_index_sequence<boost::pfr::tuple_size_v<T>>{});
    }
    to.leave();
  } else {
    static_assert(cannot_travel<T>,
                  "this type cannot travel to another node: use aggregates of values, or "
                  "specialize troupe::wire_codec<T>");
  }
}

}  // namespace troupe::inline v0_1::detail
