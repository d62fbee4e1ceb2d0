#pragma once

#include <array>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <troupe/node/wire.hpp>

// Messages that have a field of every kind that can travel.

namespace troupe::messages {

enum class colour : std::uint8_t { red, green, blue };
enum class answer : bool { no, yes };
enum signed_kind : std::int16_t { below = -1, above = 1 };

struct nothing {
  friend bool operator==(const nothing&, const nothing&) = default;
};
struct point {
  std::int32_t x = 0;
  std::int32_t y = 0;

  friend auto operator<=>(const point&, const point&) = default;
};
struct tree {
  std::string name;
  std::vector<tree> branches;

  friend bool operator==(const tree&, const tree&) = default;
};

/// What has a format of its own: no temperature is below the lowest.
class celsius {
public:
  celsius() = default;
  explicit celsius(double degrees) : degrees_{degrees} {}

  [[nodiscard]] double degrees() const noexcept { return degrees_; }
  [[nodiscard]] static bool is_one(double degrees) noexcept { return degrees >= -273.15; }

  friend bool operator==(const celsius&, const celsius&) = default;

private:
  double degrees_ = 0;
};
/// An enum that lets through no value but its own.
enum class suit : std::uint8_t { clubs, hearts };

}  // namespace troupe::messages

template <>
struct troupe::wire_codec<troupe::messages::celsius> {
  static void write(wire_writer& to, const messages::celsius& t) { write_part(to, t.degrees()); }
  static bool read(wire_reader& from, messages::celsius& t) {
    double degrees = 0;
    if (!read_part(from, degrees) || !messages::celsius::is_one(degrees)) return false;
    t = messages::celsius{degrees};
    return true;
  }
  static void describe(wire_layout& to) { describe_part<double>(to); }
};

template <>
struct troupe::wire_codec<troupe::messages::suit> {
  static void write(wire_writer& to, messages::suit s) { write_part(to, static_cast<char>(s)); }
  static bool read(wire_reader& from, messages::suit& s) {
    std::uint8_t number = 0;
    if (!read_part(from, number) || number > 1) return false;
    s = static_cast<messages::suit>(number);
    return true;
  }
  static void describe(wire_layout& to) { to.text("clubs, hearts"); }
};

namespace troupe::messages {

struct numbers {
  bool is_set = false;
  std::int8_t i8 = 0;
  std::int16_t i16 = 0;
  std::int32_t i32 = 0;
  std::int64_t i64 = 0;
  std::uint8_t u8 = 0;
  std::uint16_t u16 = 0;
  std::uint32_t u32 = 0;
  std::uint64_t u64 = 0;
  char letter = ' ';
  wchar_t wide = L' ';
  char8_t utf8 = u8' ';
  char16_t utf16 = u' ';
  float f32 = 0;
  double f64 = 0;
  colour of = colour::red;
  answer to = answer::no;
  signed_kind kind = above;
  std::byte raw{};

  friend bool operator==(const numbers&, const numbers&) = default;
};
struct times {
  std::chrono::nanoseconds exact{};
  std::chrono::duration<std::int32_t> seconds{};
  std::chrono::duration<double, std::milli> measured{};
  std::chrono::system_clock::time_point at{};
  std::chrono::sys_seconds second{};
  std::chrono::sys_days day{};

  friend bool operator==(const times&, const times&) = default;
};
struct texts {
  std::string text;
  std::u8string utf8;
  std::u16string utf16;
  std::vector<char> chars;
  std::vector<std::byte> bytes;
  std::vector<bool> flags;
  std::vector<std::int32_t> words;
  std::vector<colour> colours;
  std::vector<answer> answers;
  std::vector<suit> suits;

  friend bool operator==(const texts&, const texts&) = default;
};
struct containers {
  std::vector<point> points;
  std::vector<std::vector<std::string>> lines;
  std::deque<std::string> queue;
  std::list<point> list;
  std::set<std::string> set;
  std::multiset<std::int32_t> multiset;
  std::unordered_set<std::int32_t> unordered_set;
  std::map<std::string, std::vector<point>> map;
  std::multimap<point, bool> multimap;
  std::unordered_map<std::int32_t, std::string> unordered_map;
  std::unordered_multimap<std::int32_t, std::int32_t> unordered_multimap;
  std::map<std::int32_t, nothing> keys;

  friend bool operator==(const containers&, const containers&) = default;
};
struct choices {
  std::optional<std::string> text;
  std::optional<std::vector<std::int32_t>> words;
  std::optional<std::optional<bool>> perhaps;
  std::optional<point> place;
  std::variant<std::monostate, std::int32_t, std::string, std::vector<point>> one_of;
  std::variant<std::variant<bool, std::int8_t>, point> nested;
  std::pair<std::int32_t, std::string> pair;
  std::tuple<bool, point, std::vector<std::string>> tuple;
  std::tuple<> no_tuple;
  std::array<bool, 3> flags{};
  std::array<double, 2> weights{};
  std::array<point, 2> corners{};
  std::array<std::int32_t, 0> no_array{};
  nothing empty;

  friend bool operator==(const choices&, const choices&) = default;
};
struct every_kind {
  messages::numbers numbers;
  messages::times times;
  messages::texts texts;
  messages::containers containers;
  messages::choices choices;
  messages::tree tree;
  messages::nothing nothing;
  messages::celsius celsius;

  friend bool operator==(const every_kind&, const every_kind&) = default;
};

/// What is no number is not equal to itself: so that messages can be compared, it becomes 0.
template <std::floating_point Float>
void take_away_nan(Float& from) {
  if (std::isnan(from)) from = 0;
}
inline void take_away_nan(choices& from) {
  for (double& each : from.weights) take_away_nan(each);
}
inline void take_away_nan(every_kind& from) {
  take_away_nan(from.numbers.f32);
  take_away_nan(from.numbers.f64);
  double measured = from.times.measured.count();
  take_away_nan(measured);
  from.times.measured = decltype(from.times.measured){measured};
  take_away_nan(from.choices);
}

}  // namespace troupe::messages
