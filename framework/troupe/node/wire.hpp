#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <troupe/node/detail/wire_describe.hpp>
#include <troupe/node/detail/wire_read.hpp>
#include <troupe/node/detail/wire_write.hpp>

// What a message is on its way to another node.
//
//   bool, integers, enums, chars     their bytes, the lowest first
//   float, double                    the same, of their IEEE 754 bits
//   chrono durations, time points    those of their count
//   string                           its size, then its bytes
//   vector, deque, list, set, map    the number of elements, then each
//   array, pair, tuple, aggregates   their parts in order; nothing for empty ones
//   optional                         0, or 1 and the value
//   variant                          the number of the alternative, then its value
//
// Sizes and counts have seven bits in a byte, the lowest first; all but the last byte have the
// eighth bit set.

namespace troupe::inline v0_1 {

/// Returns: the bytes of `value`, as they travel.
template <class T>
[[nodiscard]] std::string to_wire(const T& value) {
  wire_writer to;
  detail::write_value(to, value);
  return to.take();
}

/// Reads a T of all of `bytes`. Returns: nothing when they are none, or there are more.
/// Bounds: memory in proportion to the bytes, whatever sizes they claim; nested 64 deep at most.
template <std::default_initializable T>
[[nodiscard]] std::optional<T> from_wire(std::string_view bytes) {
  wire_reader from{bytes};
  std::optional<T> value{std::in_place};
  if (!detail::read_value(from, *value) || from.left_bytes() > 0) return std::nullopt;
  return value;
}

/// Returns: the layout of a T in words, such as `bank::deposit{string, i64}`; the same for what has
/// the same bytes and the same name, on every compiler.
template <class T>
[[nodiscard]] const std::string& wire_layout_of() {
  static const std::string text = [] {
    wire_layout to;
    detail::describe<T>(to);
    return to.take();
  }();
  return text;
}

}  // namespace troupe::inline v0_1
