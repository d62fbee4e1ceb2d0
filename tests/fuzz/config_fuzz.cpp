// Decodes: framework/troupe/runtime/config.cpp
// A variable of the environment is taken exactly if it is what its description says; else it is
// named, and nothing of it is taken. What the program has chosen stays.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <troupe/pal/thread.hpp>
#include <troupe/runtime/config.hpp>

#include <fuzz/input.hpp>

namespace troupe::fuzz {

namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

enum class kind { number, flag, time };

struct variable {
  const char* name;
  kind of;
  std::uint64_t least, most;  // For a time in nanoseconds.
  std::uint64_t (*value)(const runtime_config&);
};

constexpr std::uint64_t longest =
    static_cast<std::uint64_t>(nanoseconds{max_shutdown_budget} / 1ns);

constexpr variable variables[] = {
    {"TROUPE_WORKERS", kind::number, 1, 1024, [](auto& c) { return std::uint64_t{c.workers}; }},
    {"TROUPE_PIN_WORKERS", kind::flag, 0, 1, [](auto& c) { return std::uint64_t{c.pin_workers}; }},
    {"TROUPE_BUDGET", kind::number, 1, 1'000'000, [](auto& c) { return std::uint64_t{c.budget}; }},
    {"TROUPE_MAILBOX_CAPACITY", kind::number, 1, 65'535,
     [](auto& c) { return std::uint64_t{c.mailbox_capacity}; }},
    {"TROUPE_MAX_BLOCKING_THREADS", kind::number, 1, 65'536,
     [](auto& c) { return std::uint64_t{c.max_blocking_threads}; }},
    {"TROUPE_DEADLINE", kind::time, 1, longest,
     [](auto& c) { return static_cast<std::uint64_t>(c.deadline.count()); }},
    {"TROUPE_SHUTDOWN_BUDGET", kind::time, 0, longest,
     [](auto& c) { return static_cast<std::uint64_t>(c.shutdown_budget.count()); }},
    {"TROUPE_STALL_THRESHOLD", kind::time, 0, longest,
     [](auto& c) { return static_cast<std::uint64_t>(c.stall_threshold.count()); }},
};

// ---- what the descriptions say

std::optional<std::uint64_t> number_in(std::string_view text, std::uint64_t most) {
  if (text.empty()) return std::nullopt;
  std::uint64_t sum = 0;
  for (char each : text) {
    if (each < '0' || each > '9') return std::nullopt;
    auto digit = static_cast<std::uint64_t>(each - '0');
    if (digit > most || sum > (most - digit) / 10) return std::nullopt;
    sum = sum * 10 + digit;
  }
  return sum;
}

std::optional<std::uint64_t> time_in(std::string_view text, std::uint64_t most) {
  if (text == "0") return 0;
  std::size_t digits = text.find_first_not_of("0123456789", text.starts_with('-') ? 1 : 0);
  if (digits == text.npos) return std::nullopt;
  std::string_view unit = text.substr(digits);
  std::uint64_t length = unit == "ns"    ? 1
                         : unit == "us"  ? 1'000
                         : unit == "ms"  ? 1'000'000
                         : unit == "s"   ? 1'000'000'000
                         : unit == "min" ? 60'000'000'000
                         : unit == "h"   ? 3'600'000'000'000
                                         : 0;
  if (length == 0) return std::nullopt;
  std::string_view count = text.substr(0, digits);
  if (count.starts_with('-')) {  // Minus nothing is nothing.
    return number_in(count.substr(1), 0);
  }
  auto found = number_in(count, most / length);
  return found ? std::optional{*found * length} : std::nullopt;
}

std::optional<std::uint64_t> value_in(const variable& of, std::string_view text) {
  std::optional<std::uint64_t> value;
  if (of.of == kind::number) value = number_in(text, of.most);
  if (of.of == kind::time) value = time_in(text, of.most);
  if (of.of == kind::flag) {
    if (text == "1" || text == "on" || text == "true") value = 1;
    if (text == "0" || text == "off" || text == "false") value = 0;
  }
  return value && *value >= of.least ? value : std::nullopt;
}

// ---- what resolve() does

struct outcome {
  std::optional<runtime_config> config;
  std::string complaint;
};

outcome resolved(const runtime_config& config) {
  try {
    return {resolve(config), {}};
  } catch (const std::invalid_argument& error) {
    return {std::nullopt, error.what()};
  }
}

void require_range(const runtime_config& config) {
  for (const variable& each : variables) {
    std::uint64_t value = each.value(config);
    require(value >= each.least, "each setting is in its range");
    bool has_end =
        each.of == kind::number && std::string_view{each.name} != "TROUPE_MAX_BLOCKING_THREADS";
    require(!has_end || value <= each.most, "each setting is in its range");
  }
  require(config.shutdown_budget <= max_shutdown_budget, "a budget has an end");
  require(config.clock != nullptr, "there is a clock");
}

void take(const variable& of, const std::string& text) {
  ::setenv(of.name, text.c_str(), 1);
  outcome found = resolved({});
  std::optional<std::uint64_t> expected = value_in(of, text.c_str());
  require(found.config.has_value() == expected.has_value(), "taken exactly if it is right");
  if (!expected) {
    std::string begin = std::string{of.name} + " is '" + text.c_str() + "': it must be ";
    require(found.complaint.starts_with(begin), "the complaint names the variable and its value");
    return;
  }
  require(of.value(*found.config) == *expected, "the value is what the text says");
  require_range(*found.config);
  outcome again = resolved(*found.config);
  require(again.config && of.value(*again.config) == *expected, "what is right stays right");
  ::unsetenv(of.name);
  const runtime_config without = resolve({});
  for (const variable& each : variables) {
    bool is_same = each.value(*found.config) == each.value(without);
    require(is_same || &each == &of, "no other setting is touched");
  }
}

void choose(input& from) {
  runtime_config config;
  unsigned flags = from.byte();
  if ((flags & 1U) != 0) config.seed = from.byte();
  config.caller_driven = (flags & 2U) != 0;
  if ((flags & 4U) != 0) config.clock = nullptr;
  config.workers = from.two_bytes();
  config.budget = from.four_bytes();
  config.mailbox_capacity = from.two_bytes();
  config.max_blocking_threads = from.two_bytes();
  auto time = [&] {
    std::uint64_t high = from.four_bytes();
    return nanoseconds{static_cast<std::int64_t>(high << 32U | from.four_bytes())};
  };
  config.deadline = time();
  config.shutdown_budget = time();
  config.stall_threshold = time();
  bool is_one = config.seed || config.caller_driven;
  outcome found = resolved(config);
  if (!found.config) {
    require(found.complaint.starts_with("runtime_config: "), "the complaint is of the program");
    return;
  }
  require_range(*found.config);
  require(!is_one || found.config->workers == 1, "one worker where there can be but one");
  require(config.workers == 0 || found.config->workers == config.workers, "what is chosen stays");
  require(found.config->budget == config.budget, "what is chosen stays");
  require(found.config->deadline == config.deadline, "what is chosen stays");
}

}  // namespace

}  // namespace troupe::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe::fuzz;
  for (const variable& each : variables) ::unsetenv(each.name);
  input from{data, size};
  std::size_t chosen = from.byte() % (std::size(variables) + 1);
  if (chosen == std::size(variables)) {
    choose(from);
  } else {
    take(variables[chosen], from.rest());
  }
  for (const variable& each : variables) ::unsetenv(each.name);
  return 0;
}
