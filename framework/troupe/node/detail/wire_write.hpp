#pragma once

#include <bit>
#include <string_view>

#include <boost/pfr/core.hpp>

#include <troupe/node/detail/wire_types.hpp>

namespace troupe::inline v0_1::detail {

template <class T>
void write_value(wire_writer& to, const T& value);

template <class Parts>
void write_parts(wire_writer& to, const Parts& parts) {
  std::apply([&](const auto&... each) { (write_value(to, each), ...); }, parts);
}

template <class T>
void write_range(wire_writer& to, const T& all) {
  to.put_count(all.size());
  if constexpr (wire_contiguous<T> && std::endian::native == std::endian::little) {
    to.put_bytes({reinterpret_cast<const char*>(std::data(all)),
                  all.size() * sizeof(typename T::value_type)});
  } else if constexpr (std::same_as<typename T::value_type, bool>) {
    for (bool each : all) write_value(to, each);  // Of vector<bool>, whose elements are none.
  } else {
    for (const auto& each : all) write_value(to, each);
  }
}

template <class T>
void write_value(wire_writer& to, const T& value) {
  if constexpr (has_wire_codec<T>) {
    wire_codec<T>::write(to, value);
  } else if constexpr (wire_number<T>) {
    static_assert(sizeof(T) <= 8, "long double cannot travel to another node: send a double");
    to.put(std::bit_cast<typename bits_of_size<sizeof(T)>::type>(value));
  } else if constexpr (wire_text<T> || std::same_as<T, std::string_view>) {
    to.put_count(value.size());
    to.put_bytes(value);
  } else if constexpr (wire_duration<T>) {
    write_value(to, value.count());
  } else if constexpr (wire_time_point<T>) {
    write_value(to, value.time_since_epoch().count());
  } else if constexpr (is_of<T, std::optional>) {
    write_value(to, value.has_value());
    if (value) write_value(to, *value);
  } else if constexpr (is_of<T, std::variant>) {
    to.put_count(value.index());
    std::visit([&](const auto& held) { write_value(to, held); }, value);
  } else if constexpr (std::same_as<T, std::monostate>) {
    // Nothing.
  } else if constexpr (wire_parts<T>) {
    write_parts(to, value);
  } else if constexpr (wire_range<T>) {
    write_range(to, value);
  } else if constexpr (wire_struct<T>) {
    if constexpr (!std::is_empty_v<T>) write_parts(to, boost::pfr::structure_tie(value));
  } else {
    static_assert(cannot_travel<T>,
                  "this type cannot travel to another node: use aggregates of values, or "
                  "specialize troupe::wire_codec<T>");
  }
}

}  // namespace troupe::inline v0_1::detail
