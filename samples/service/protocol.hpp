#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <troupe/pal/clock.hpp>

/// The line protocol. The service greets a connection; then each line is a request, and each
/// request has one line as its answer. What cannot be done is answered by a line that begins with
/// "error: ".
namespace service {

/// Which connection of this process: counted from 1, never used again.
using connection_id = std::uint64_t;

inline constexpr std::size_t max_line_bytes = 4096;  // Without its end.

enum class command { hello, echo, rtt, stats, quit, unknown, garbage };

struct request {
  command what;
  std::string_view text;  // The TEXT of echo; else the whole line.
};

/// Says what a line asks for. A line with control characters, other than tabs, is garbage.
[[nodiscard]] request parse(std::string_view line) noexcept;

/// The answer to a request that is unknown or garbage.
[[nodiscard]] std::string error_line(const request& refused);

/// The answer to rtt, which says so if a CAF actor has given it.
[[nodiscard]] std::string rtt_line(troupe::duration time, bool is_by_caf);
[[nodiscard]] bool is_by_caf(std::string_view rtt_line) noexcept;

/// The first line of a connection, and the number in it; nothing if it is no greeting.
[[nodiscard]] std::string greeting(connection_id id);
[[nodiscard]] std::optional<connection_id> id_in_greeting(std::string_view line) noexcept;

}  // namespace service
