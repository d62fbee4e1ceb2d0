// Decodes: samples/values.hpp
// A number or a time on a command line is taken exactly if it is written as one and in its range.

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include <fmt/core.h>

#include "../../samples/values.hpp"

#include <fuzz/input.hpp>

namespace troupe::fuzz {

namespace {

using std::chrono::nanoseconds;

template <class Number>
void number(const std::string& text, Number least, Number most) {
  auto found = samples::number_in(text, least, most);
  if (found) {
    require(least <= *found && *found <= most, "no number out of its range");
    require(samples::number_in(fmt::format("{}", *found), least, most) == found,
            "what is written is read as the same number");
    require(!samples::number_in(text + " ", least, most), "nothing may follow a number");
  }
  if (least > most) require(!found, "nothing is in an empty range");
}

template <class Number>
void write_number(Number value) {
  using limits = std::numeric_limits<Number>;
  std::string text = fmt::format("{}", value);
  require(samples::number_in(text, value, value) == value, "a range has its ends in it");
  require(samples::number_in(text, limits::lowest(), limits::max()) == value, "it is read");
  if (value < limits::max()) {
    require(!samples::number_in<Number>(text, value + 1, limits::max()), "too small is refused");
  }
  if (value > limits::lowest()) {
    require(!samples::number_in<Number>(text, limits::lowest(), value - 1), "too large is refused");
  }
}

void time(const std::string& text, nanoseconds most) {
  auto found = samples::time_in(text, most);
  if (!found) return;
  require(nanoseconds::zero() <= *found && *found <= most, "no time out of its range");
  require(text.ends_with('s') && !samples::time_in(text + "s", most), "it ends with its unit");
  std::string again = std::to_string(*found / std::chrono::microseconds{1}) + "us";
  require(samples::time_in(again, most) == found, "what is written is read as the same time");
}

void write_time(std::int64_t count) {
  auto most = nanoseconds::max();
  std::int64_t factor = 1'000;
  for (const char* unit : {"us", "ms", "s"}) {
    auto found = samples::time_in(std::to_string(count) + unit, most);
    bool has_room = count >= 0 && count <= most.count() / factor;
    require(found.has_value() == has_room, "a time is read if it has room");
    if (!found) continue;
    require(found->count() == count * factor, "it is as long as it says");
    std::string text = std::to_string(count) + unit;
    require(samples::time_in(text, *found) == found, "a range has its end in it");
    require(count == 0 || !samples::time_in(text, *found - nanoseconds{1}), "too long is refused");
    factor *= 1'000;
  }
}

}  // namespace

}  // namespace troupe::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe::fuzz;
  input from{data, size};
  unsigned mode = from.byte();
  std::uint64_t first = from.four_bytes();
  auto wide = static_cast<std::int64_t>(first << 32U | from.four_bytes());
  if (mode % 4 == 0) {
    write_number(wide);
    write_number(static_cast<std::uint64_t>(wide));
    write_number(static_cast<std::uint16_t>(wide));
  } else if (mode % 4 == 1) {
    write_time(wide);
  } else if (mode % 4 == 2) {
    time(from.rest(), nanoseconds{wide & std::numeric_limits<std::int64_t>::max()});
  } else {
    std::string text = from.rest();
    number<std::uint16_t>(text, 0, static_cast<std::uint16_t>(wide));
    number<std::uint64_t>(text, first, std::numeric_limits<std::uint64_t>::max());
    number<std::int64_t>(text, wide, std::numeric_limits<std::int64_t>::max());
    number<double>(text, 0.01, 86'400.0);
  }
  return 0;
}
