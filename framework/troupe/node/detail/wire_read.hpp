#pragma once

#include <bit>
#include <string_view>

#include <boost/pfr/core.hpp>

#include <troupe/node/detail/wire_refuse.hpp>
#include <troupe/node/detail/wire_types.hpp>

namespace troupe::inline v0_1::detail {

template <class T>
bool read_value(wire_reader& from, T& value);

template <class Parts>
bool read_parts(wire_reader& from, Parts&& parts) {
  return std::apply([&](auto&... each) { return (read_value(from, each) && ...); }, parts);
}

template <class T>
bool read_number(wire_reader& from, T& value) {
  typename bits_of_size<sizeof(T)>::type bits{};
  if (!from.take(bits)) return false;
  if (is_wire_bool<T>() && bits > 1) return false;
  value = std::bit_cast<T>(bits);
  return true;
}

template <class T>
bool read_array(wire_reader& from, T& all) {
  using element = typename T::value_type;
  if constexpr (wire_as_it_lies<element>) {
    return from.take_bytes(all.data(), all.size() * sizeof(element));
  } else {
    for (element& each : all) {
      if (!read_value(from, each)) return false;
    }
    return true;
  }
}

template <class T>
bool read_range(wire_reader& from, T& all) {
  using element = typename T::value_type;
  std::size_t count = 0;
  // No element has less than a byte, so no more room is asked for than the bytes are worth.
  if (!from.take_count(count) || count > from.left_bytes()) return false;
  all.clear();
  if constexpr (std::ranges::contiguous_range<T> && wire_as_it_lies<element> &&
                requires { all.resize(count); }) {
    if (count > from.left_bytes() / sizeof(element)) return false;
    all.resize(count);
    return from.take_bytes(std::data(all), count * sizeof(element));
  } else if constexpr (wire_map<T>) {
    for (; count > 0; --count) {
      typename T::key_type key{};
      typename T::mapped_type mapped{};
      if (!read_value(from, key) || !read_value(from, mapped)) return false;
      all.emplace(std::move(key), std::move(mapped));
    }
  } else {
    for (; count > 0; --count) {
      element each{};
      if (!read_value(from, each)) return false;
      all.insert(all.end(), std::move(each));
    }
  }
  return true;
}

template <class Variant, std::size_t... I>
bool read_alternative(wire_reader& from, Variant& value, std::size_t index,
                      std::index_sequence<I...>) {
  bool is_read = false;
  auto read_one = [&]<std::size_t i>() {
    is_read = read_value(from, value.template emplace<i>());
    return true;
  };
  (void)((index == I && read_one.template operator()<I>()) || ...);
  return is_read;
}

template <class Rep, class Whole, class Make>
bool read_count_of(wire_reader& from, Whole& value, Make make) {
  Rep count{};
  if (!read_value(from, count)) return false;
  value = make(count);
  return true;
}

template <class T>
bool read_value(wire_reader& from, T& value) {
  wire_reader::nesting level{from};
  if (!level.is_allowed()) return false;
  if constexpr (wire_coded<T>) {
    return wire_codec<T>::read(from, value);
  } else if constexpr (wire_number<T>) {
    return read_number(from, value);
  } else if constexpr (wire_text<T>) {
    std::string_view text;
    if (!from.take_text(text)) return false;
    value = text;
    return true;
  } else if constexpr (std::same_as<T, std::string_view>) {
    return from.take_text(value);  // Of the framework: it stays in the buffer.
  } else if constexpr (wire_duration<T>) {
    return read_count_of<typename T::rep>(from, value, [](auto count) { return T{count}; });
  } else if constexpr (wire_time_point<T>) {
    using length = typename T::duration;
    return read_count_of<typename length::rep>(from, value,
                                               [](auto count) { return T{length{count}}; });
  } else if constexpr (is_of<T, std::optional>) {
    bool has_one = false;
    if (!read_value(from, has_one)) return false;
    value.reset();
    return !has_one || read_value(from, value.emplace());
  } else if constexpr (is_of<T, std::variant>) {
    std::size_t index = 0;
    return from.take_count(index) &&
           read_alternative(from, value, index, std::make_index_sequence<std::variant_size_v<T>>{});
  } else if constexpr (is_array<T>) {
    return read_array(from, value);
  } else if constexpr (wire_parts<T>) {
    return read_parts(from, value);
  } else if constexpr (wire_range<T>) {
    return read_range(from, value);
  } else if constexpr (wire_struct<T>) {
    if constexpr (!std::is_empty_v<T>) return read_parts(from, boost::pfr::structure_tie(value));
    return true;
  } else {
    refuse<T>();
    return false;
  }
}

}  // namespace troupe::inline v0_1::detail
