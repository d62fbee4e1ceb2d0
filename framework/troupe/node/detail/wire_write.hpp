#pragma once

#include <bit>
#include <string_view>

#include <boost/pfr/core.hpp>

#include <troupe/node/detail/wire_refuse.hpp>
#include <troupe/node/detail/wire_types.hpp>

namespace troupe::inline v0_1::detail {

template <class T>
void write_value(wire_writer& to, const T& value);

template <class Parts>
void write_parts(wire_writer& to, const Parts& parts) {
  std::apply([&](const auto&... each) { (write_value(to, each), ...); }, parts);
}

template <class T>
void write_elements(wire_writer& to, const T& all) {
  using element = typename T::value_type;
  if constexpr (std::ranges::contiguous_range<T> && wire_as_it_lies<element>) {
    to.put_bytes({reinterpret_cast<const char*>(std::data(all)), all.size() * sizeof(element)});
  } else if constexpr (wire_map<T>) {
    for (const auto& [key, mapped] : all) {
      write_value(to, key);
      write_value(to, mapped);
    }
  } else {
    // The elements of vector<bool> are no bools.
    for (const element& each : all) write_value(to, each);
  }
}

template <class T>
void write_value(wire_writer& to, const T& value) {
  if constexpr (wire_coded<T>) {
    wire_codec<T>::write(to, value);
  } else if constexpr (wire_number<T>) {
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
  } else if constexpr (is_array<T>) {
    write_elements(to, value);
  } else if constexpr (wire_parts<T>) {
    write_parts(to, value);
  } else if constexpr (wire_range<T>) {
    to.put_count(value.size());
    write_elements(to, value);
  } else if constexpr (wire_struct<T>) {
    if constexpr (!std::is_empty_v<T>) write_parts(to, boost::pfr::structure_tie(value));
  } else {
    refuse<T>();
  }
}

}  // namespace troupe::inline v0_1::detail
