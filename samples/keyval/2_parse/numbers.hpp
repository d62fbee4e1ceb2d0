#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace keyval {

/// Returns: the number that `text` is, if it is written the one way that Redis takes for one: no
/// plus, no zeros in front, nothing around it.
inline std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  std::string_view digits = text.substr(text.front() == '-' ? 1 : 0);
  bool has_odd_zero = digits.front() == '0' && text.size() > 1;
  if (has_odd_zero) return std::nullopt;
  return value;
}

}  // namespace keyval
