#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include <fmt/core.h>

namespace troupe::fuzz {

/// What the fuzzer has made up, taken apart from the front: values first, the rest as the text that
/// the decoder is given. What is missing reads as zero.
class input {
public:
  input(const std::uint8_t* data, std::size_t size) noexcept : left_{data, size} {}

  std::uint8_t byte() noexcept {
    if (left_.empty()) return 0;
    std::uint8_t first = left_.front();
    left_ = left_.subspan(1);
    return first;
  }
  std::uint16_t two_bytes() noexcept {
    unsigned high = byte();
    return static_cast<std::uint16_t>(high << 8U | byte());
  }
  std::uint32_t four_bytes() noexcept {
    std::uint32_t high = two_bytes();
    return high << 16U | two_bytes();
  }

  /// Returns: the next bytes, `most` at most.
  std::string text(std::size_t most) {
    std::size_t count = std::min(most, left_.size());
    std::string taken{reinterpret_cast<const char*>(left_.data()), count};
    left_ = left_.subspan(count);
    return taken;
  }
  std::string rest() { return text(left_.size()); }
  [[nodiscard]] bool is_empty() const noexcept { return left_.empty(); }

private:
  std::span<const std::uint8_t> left_;
};

/// Ends the run of this input as a failure: what must hold of every input does not hold of it.
inline void require(bool holds, std::string_view claim,
                    std::source_location at = std::source_location::current()) {
  if (holds) return;
  throw std::logic_error{fmt::format("{}:{}: not so: {}", at.file_name(), at.line(), claim)};
}

}  // namespace troupe::fuzz
