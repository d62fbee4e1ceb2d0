#include <troupe/runtime/config.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <troupe/pal/thread.hpp>

namespace troupe::inline v0_1 {

namespace {

using std::chrono::nanoseconds;

constexpr std::size_t max_workers = 1024;
constexpr std::size_t max_threads = 65'536;
constexpr std::uint32_t max_budget = 1'000'000;

[[noreturn]] void refuse(const std::string& text) { throw std::invalid_argument{text}; }

[[noreturn]] void refuse_variable(const char* name, const char* text, const std::string& allowed) {
  refuse(fmt::format("{} is '{}': it must be {}", name, text, allowed));
}

template <class T>
bool parse(std::string_view text, T& into) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size();
}

// Each takes the variable `name` where the setting still has its default.

template <class T>
void take_number(const char* name, T& setting, T initial, T least, T most) {
  const char* text = std::getenv(name);
  if (text == nullptr || setting != initial) return;
  T wanted{};
  if (!parse(text, wanted) || wanted < least || wanted > most) {
    refuse_variable(name, text, fmt::format("a number from {} to {}", least, most));
  }
  setting = wanted;
}

bool parse_duration(std::string_view text, nanoseconds& into) {
  using unit = std::pair<std::string_view, nanoseconds>;
  using namespace std::chrono_literals;
  constexpr std::array<unit, 6> units{unit{"ns", 1ns}, {"us", 1us}, {"ms", 1ms},
                                      {"min", 1min},   {"s", 1s},   {"h", 1h}};
  for (auto [name, length] : units) {
    std::int64_t count = 0;
    if (!text.ends_with(name) || !parse(text.substr(0, text.size() - name.size()), count)) continue;
    if (count < 0 || count > max_shutdown_budget / length) return false;
    into = count * length;
    return true;
  }
  return text == "0" && (into = 0ns, true);
}

void take_duration(const char* name, nanoseconds& setting, nanoseconds initial, bool may_be_zero) {
  const char* text = std::getenv(name);
  if (text == nullptr || setting != initial) return;
  nanoseconds wanted{};
  if (!parse_duration(text, wanted) || (wanted == nanoseconds::zero() && !may_be_zero)) {
    refuse_variable(name, text,
                    fmt::format("a duration{} like 250ms or 5s, with ns, us, ms, s, min or h",
                                may_be_zero ? "" : " above zero"));
  }
  setting = wanted;
}

void take_switch(const char* name, bool& setting, bool initial) {
  const char* text = std::getenv(name);
  if (text == nullptr || setting != initial) return;
  std::string_view wanted{text};
  bool is_on = wanted == "1" || wanted == "on" || wanted == "true";
  bool is_off = wanted == "0" || wanted == "off" || wanted == "false";
  if (!is_on && !is_off) refuse_variable(name, text, "on, off, true, false, 1 or 0");
  setting = is_on;
}

void take_environment(runtime_config& config) {
  const runtime_config initial{};
  take_number("TROUPE_WORKERS", config.workers, initial.workers, std::size_t{1}, max_workers);
  take_switch("TROUPE_PIN_WORKERS", config.pin_workers, initial.pin_workers);
  take_number("TROUPE_BUDGET", config.budget, initial.budget, 1U, max_budget);
  take_number("TROUPE_MAILBOX_CAPACITY", config.mailbox_capacity, initial.mailbox_capacity,
              std::uint16_t{1}, std::numeric_limits<std::uint16_t>::max());
  take_number("TROUPE_MAX_BLOCKING_THREADS", config.max_blocking_threads,
              initial.max_blocking_threads, std::size_t{1}, max_threads);
  take_duration("TROUPE_DEADLINE", config.deadline, initial.deadline, false);
  take_duration("TROUPE_SHUTDOWN_BUDGET", config.shutdown_budget, initial.shutdown_budget, true);
  take_duration("TROUPE_STALL_THRESHOLD", config.stall_threshold, initial.stall_threshold, true);
}

void check(bool is_right, std::string_view text) {
  if (!is_right) refuse(fmt::format("runtime_config: {}", text));
}

}  // namespace

runtime_config resolve(runtime_config config) {
  if (config.seed || config.caller_driven) {
    check(config.workers <= 1,
          config.seed ? "a seed needs workers = 1, for one order of events"
                      : "caller_driven needs workers = 1: the thread that calls poll()");
    config.workers = 1;
  }
  take_environment(config);
  if (config.workers == 0) config.workers = pal::usable_cores();
  check(config.workers <= max_workers,
        fmt::format("workers is {}: it must be at most {}", config.workers, max_workers));
  check(config.simulated == nullptr || config.seed, "what is simulated needs a seed");
  check(config.clock != nullptr, "clock is null: leave it out for the real clock");
  check(config.budget >= 1 && config.budget <= max_budget,
        fmt::format("budget is {}: it must be from 1 to {}", config.budget, max_budget));
  check(config.mailbox_capacity >= 1, "mailbox_capacity is 0: it must be at least 1");
  check(config.max_blocking_threads >= 1, "max_blocking_threads is 0: it must be at least 1");
  check(config.deadline > nanoseconds::zero(), "deadline must be above zero");
  check(config.shutdown_budget >= nanoseconds::zero(), "shutdown_budget is below zero");
  check(config.stall_threshold >= nanoseconds::zero(), "stall_threshold is below zero");
  config.shutdown_budget = std::min<nanoseconds>(config.shutdown_budget, max_shutdown_budget);
  return config;
}

}  // namespace troupe::inline v0_1
