#include "protocol.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <system_error>

#include <fmt/core.h>

namespace service {

namespace {

constexpr std::string_view greeting_begin = "troupe service, connection ";
constexpr std::string_view by_caf = " by CAF";
constexpr std::string_view commands = "hello, echo TEXT, rtt, stats, quit";

bool is_control(char letter) noexcept {
  auto code = static_cast<unsigned char>(letter);
  return (code < 0x20 && letter != '\t') || code == 0x7f;
}

}  // namespace

request parse(std::string_view line) noexcept {
  if (std::any_of(line.begin(), line.end(), is_control)) return {command::garbage, line};
  if (line == "hello") return {command::hello, line};
  if (line == "rtt") return {command::rtt, line};
  if (line == "stats") return {command::stats, line};
  if (line == "quit") return {command::quit, line};
  if (line == "echo") return {command::echo, {}};
  if (line.starts_with("echo ")) return {command::echo, line.substr(5)};
  return {command::unknown, line};
}

std::string error_line(const request& refused) {
  if (refused.what == command::garbage) {
    auto found = std::find_if(refused.text.begin(), refused.text.end(), is_control);
    return fmt::format("error: not a line of text: byte {:#04x} at column {}",
                       static_cast<unsigned char>(*found), found - refused.text.begin() + 1);
  }
  std::string_view word = refused.text.substr(0, refused.text.find(' '));
  return fmt::format("error: unknown command '{}'; there are: {}", word.substr(0, 32), commands);
}

std::string rtt_line(troupe::duration time, bool is_by_caf) {
  std::chrono::duration<double, std::micro> microseconds = time;
  return fmt::format("rtt {:.1f} us{}", microseconds.count(), is_by_caf ? by_caf : "");
}

bool is_by_caf(std::string_view rtt_line) noexcept { return rtt_line.ends_with(by_caf); }

std::string greeting(connection_id id) {
  return fmt::format("{}{}: {}", greeting_begin, id, commands);
}

std::optional<connection_id> id_in_greeting(std::string_view line) noexcept {
  if (!line.starts_with(greeting_begin)) return std::nullopt;
  line.remove_prefix(greeting_begin.size());
  connection_id id = 0;
  auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), id);
  if (error != std::errc{} || end == line.data() + line.size() || *end != ':') return std::nullopt;
  return id;
}

}  // namespace service
