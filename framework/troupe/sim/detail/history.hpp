#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/pal/clock.hpp>

namespace troupe::inline v0_1::sim::detail {

/// All that has happened in a world, as a hash, and where it is wanted as text.
class history {
public:
  explicit history(bool keeps_lines) noexcept : keeps_lines_{keeps_lines} {}

  [[nodiscard]] bool keeps_lines() const noexcept { return keeps_lines_; }
  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }
  [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }

  void begin_step() noexcept { ++steps_; }
  void mix(std::uint64_t number) noexcept { hash_ = (hash_ ^ number) * prime; }
  void mix(std::string_view text) noexcept {
    for (char each : text) mix(static_cast<std::uint64_t>(static_cast<unsigned char>(each)));
    mix(text.size());
  }
  /// Requires: keeps_lines(). `text` is what happened.
  void add_line(time_point when, std::string_view who, std::string_view text);

private:
  static constexpr std::uint64_t prime = 0x100000001b3U;  // FNV-1a

  const bool keeps_lines_;
  std::uint64_t hash_ = 0xcbf29ce484222325U;
  std::uint64_t steps_ = 0;
  std::vector<std::string> lines_;
};

}  // namespace troupe::inline v0_1::sim::detail
