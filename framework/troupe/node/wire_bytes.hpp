#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

#include <boost/core/demangle.hpp>
#include <boost/endian/conversion.hpp>

#include <troupe/version.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// The name of a type as a C++ program spells it; the same on every compiler.
template <class T>
const std::string& type_spelled() {
  static const std::string name = boost::core::demangle(typeid(T).name());
  return name;
}

}  // namespace detail

/// Puts values behind one another.
class wire_writer {
public:
  template <std::unsigned_integral Bits>
  void put(Bits value) {
    boost::endian::native_to_little_inplace(value);
    char bytes[sizeof(Bits)];
    std::memcpy(bytes, &value, sizeof(Bits));
    out_.append(bytes, sizeof(Bits));
  }
  void put_count(std::size_t count) {
    for (; count >= 128; count >>= 7U) out_.push_back(static_cast<char>((count & 127U) | 128U));
    out_.push_back(static_cast<char>(count));
  }
  void put_bytes(std::string_view bytes) { out_.append(bytes); }

  [[nodiscard]] std::size_t size_bytes() const noexcept { return out_.size(); }
  [[nodiscard]] std::string take() noexcept { return std::exchange(out_, {}); }

private:
  std::string out_;
};

/// Takes values off the front of what may be any bytes. Each function returns false when they are
/// not there; nothing is to be read after that.
class wire_reader {
public:
  explicit wire_reader(std::string_view bytes) noexcept : left_{bytes} {}

  template <std::unsigned_integral Bits>
  [[nodiscard]] bool take(Bits& value) noexcept {
    if (!take_bytes(&value, sizeof(Bits))) return false;
    boost::endian::little_to_native_inplace(value);
    return true;
  }
  [[nodiscard]] bool take_count(std::size_t& count) noexcept {
    count = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
      if (left_.empty()) return false;
      auto byte = static_cast<unsigned char>(left_.front());
      left_.remove_prefix(1);
      count |= static_cast<std::size_t>(byte & 127U) << shift;
      if (byte < 128) return true;
    }
    return false;
  }
  [[nodiscard]] bool take_bytes(void* into, std::size_t size_bytes) noexcept {
    if (left_.size() < size_bytes) return false;
    if (size_bytes > 0) std::memcpy(into, left_.data(), size_bytes);
    left_.remove_prefix(size_bytes);
    return true;
  }
  /// The text lies in the bytes that are read.
  [[nodiscard]] bool take_text(std::string_view& text) noexcept {
    std::size_t size_bytes = 0;
    if (!take_count(size_bytes) || size_bytes > left_.size()) return false;
    text = left_.substr(0, size_bytes);
    left_.remove_prefix(size_bytes);
    return true;
  }
  [[nodiscard]] std::size_t left_bytes() const noexcept { return left_.size(); }

  /// One value within another: a list of lists of ... could else use up the stack.
  class nesting {
  public:
    explicit nesting(wire_reader& in) noexcept : in_{in} { ++in_.depth_; }
    nesting(const nesting&) = delete;
    nesting& operator=(const nesting&) = delete;
    ~nesting() { --in_.depth_; }
    [[nodiscard]] bool is_allowed() const noexcept { return in_.depth_ <= max_depth; }

  private:
    static constexpr int max_depth = 64;
    wire_reader& in_;
  };

private:
  std::string_view left_;
  int depth_ = 0;
};

/// The text that tells what the bytes of a type are.
class wire_layout {
public:
  void text(std::string_view name) {
    separate();
    out_ += name;
  }
  void number(char kind, std::size_t size_bytes) {
    text(std::string{kind} + std::to_string(size_bytes * 8));
  }
  template <class Rep>
  void ticks(char kind, std::intmax_t numerator, std::intmax_t denominator) {
    text("ticks of " + std::to_string(numerator) + '/' + std::to_string(denominator) + ' ' + kind +
         std::to_string(sizeof(Rep) * 8));
  }
  void begin(std::string_view name) {
    text(name);
    out_ += '{';
  }
  void end() { out_ += '}'; }

  /// Returns: false when the struct was described before; then its name alone was written. So a
  /// struct may hold itself, and no text is longer than its structs are.
  [[nodiscard]] bool is_new(const std::string& name) {
    bool is_first = described_.insert(name).second;
    if (!is_first) text(name);
    return is_first;
  }

  [[nodiscard]] std::string take() noexcept { return std::exchange(out_, {}); }

private:
  void separate() {
    if (!out_.empty() && out_.back() != '{') out_ += ", ";
  }

  std::string out_;
  std::set<std::string> described_;
};

/// How a class travels whose fields are not all of it, or not public. Its specialization is
/// declared before the first message with that class in it; it writes at least one byte.
///
/// Example:
///
///     template <>
///     struct troupe::wire_codec<celsius> {
///       static void write(wire_writer& to, const celsius& t) { write_part(to, t.degrees()); }
///       // Returns: false when these bytes are none.
///       static bool read(wire_reader& from, celsius& t) {
///         double degrees = 0;
///         if (!read_part(from, degrees) || !(degrees >= -273.15)) return false;
///         t = celsius{degrees};
///         return true;
///       }
///       static void describe(wire_layout& to) { describe_part<double>(to); }
///     };
template <class T>
struct wire_codec;

}  // namespace troupe::inline v0_1
