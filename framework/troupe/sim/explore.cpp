#include <troupe/sim/explore.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string_view>

#include <troupe/base/log.hpp>
#include <troupe/task/failure.hpp>

namespace troupe::inline v0_1::sim {

namespace {

constexpr std::size_t last_lines = 200;

std::optional<std::uint64_t> seed_of_environment() {
  const char* text = std::getenv("TROUPE_SIM_SEED");
  if (text == nullptr) return std::nullopt;
  std::string_view given{text};
  std::uint64_t seed = 0;
  auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), seed);
  if (error != std::errc{} || end != given.data() + given.size()) {
    throw std::invalid_argument{fmt::format("TROUPE_SIM_SEED is '{}': it must be a number", given)};
  }
  return seed;
}

void show_end_of(const std::vector<std::string>& trace) {
  std::size_t first = trace.size() - std::min(trace.size(), last_lines);
  for (std::size_t i = first; i < trace.size(); ++i) log(log_level::error, trace[i]);
}

void run_one(const std::string& name, const std::function<void(world&)>& body,
             const world_config& config) {
  world one{config};
  try {
    body(one);
  } catch (...) {
    show_end_of(one.trace());
    log(log_level::error, fmt::format("{}: {}", name, describe(std::current_exception())));
    log(log_level::error, fmt::format("again: ./dev replay {} --seed {}", name, config.seed));
    throw;
  }
}

}  // namespace

void explore(const std::string& name, std::uint64_t seeds, const std::function<void(world&)>& body,
             world_config config) {
  if (auto only = seed_of_environment()) {
    config.seed = *only;
    config.keeps_trace = true;
    return run_one(name, body, config);
  }
  for (config.seed = 1; config.seed <= seeds; ++config.seed) run_one(name, body, config);
}

}  // namespace troupe::inline v0_1::sim
