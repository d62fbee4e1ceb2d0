#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// First, so that what the compiler refuses there stands in the third line that it says.
#include <troupe/node/detail/wire_refuse.hpp>

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
//
// What would mean nothing elsewhere (pointers, references, views, times of a steady clock) and what
// cannot be taken apart (bases, C arrays, private fields) is refused by the compiler in one line; a
// class with these can have a wire_codec. An enum may arrive with any value of its type. A struct
// cannot have bit-fields nor, with g++ 12, which crashes over it, a std::array of what has a
// destructor: a vector does.

namespace troupe::inline v0_1 {

/// For a wire_codec: describes, writes and reads one part of a value, behind the parts before it.
template <class T>
void describe_part(wire_layout& to) {
  detail::describe<T>(to);
}
template <class T>
void write_part(wire_writer& to, const T& part) {
  [[maybe_unused]] constexpr auto can_travel = &detail::describe<T>;
  detail::write_value(to, part);
}

/// Returns: false when these bytes are none.
template <class T>
[[nodiscard]] bool read_part(wire_reader& from, T& part) {
  [[maybe_unused]] constexpr auto can_travel = &detail::describe<T>;
  return detail::read_value(from, part);
}

/// Returns: the bytes of `value`, as they travel.
template <class T>
[[nodiscard]] std::string to_wire(const T& value) {
  wire_writer to;
  write_part(to, value);
  return to.take();
}

/// Reads a T of all of `bytes`. Returns: nothing when they are none, or there are more.
/// Bounds: memory in proportion to the bytes, whatever sizes they claim. Values lie 64 deep in one
/// another at most, where a vector and each element count as one; what is deeper is none.
template <class T>
[[nodiscard]] std::optional<T> from_wire(std::string_view bytes) {
  if constexpr (std::default_initializable<T>) {
    wire_reader from{bytes};
    std::optional<T> value{std::in_place};
    if (!read_part(from, *value) || from.left_bytes() > 0) return std::nullopt;
    return value;
  } else {
    detail::refuse<T>();
    return {};
  }
}

/// Returns: the layout of a T in words, such as `bank::deposit{string, i64}`; the same for what has
/// the same bytes and the same name, on every compiler. A struct has its fields where it comes
/// first, and only its name after that.
template <class T>
[[nodiscard]] const std::string& wire_layout_of() {
  static const std::string text = [] {
    wire_layout to;
    describe_part<T>(to);
    return to.take();
  }();
  return text;
}

}  // namespace troupe::inline v0_1
