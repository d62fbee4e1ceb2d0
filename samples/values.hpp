#pragma once

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace samples {

/// Returns: the number that `text` is, if it is one from `least` to `most`.
template <class Number>
std::optional<Number> number_in(std::string_view text, Number least, Number most) {
  Number value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool is_number = error == std::errc{} && end == text.data() + text.size();
  if (!is_number || !(least <= value && value <= most)) return std::nullopt;
  return value;
}

/// Returns: the time that `text` is, such as 500us, 1ms, 2s, if it is one from 0 to `most`.
inline std::optional<std::chrono::nanoseconds> time_in(std::string_view text,
                                                       std::chrono::nanoseconds most) {
  std::int64_t count = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  std::string_view unit{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  std::int64_t factor = unit == "us" ? 1'000 : unit == "ms" ? 1'000'000 : 1'000'000'000;
  bool is_time = error == std::errc{} && (unit == "us" || unit == "ms" || unit == "s");
  if (!is_time || count < 0 || count > most.count() / factor) return std::nullopt;
  return std::chrono::nanoseconds{count * factor};
}

}  // namespace samples
