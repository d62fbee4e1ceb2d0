#include <troupe/runtime/config.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

#include <troupe/pal/thread.hpp>

namespace troupe {

namespace {

constexpr std::size_t max_workers = 1024;

std::size_t workers_from_environment() {
  const char* text = std::getenv("TROUPE_WORKERS");
  if (text == nullptr) return pal::usable_cores();
  std::string_view wanted{text};
  std::size_t workers = 0;
  auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), workers);
  if (error != std::errc{} || end != wanted.data() + wanted.size() || workers < 1 ||
      workers > max_workers) {
    throw std::invalid_argument{
        fmt::format("TROUPE_WORKERS is '{}': it must be a number from 1 to {}", text, max_workers)};
  }
  return workers;
}

}  // namespace

runtime_config resolve(runtime_config config) {
  if (config.seed) {
    if (config.workers > 1) {
      throw std::invalid_argument{
          "runtime_config: a seed needs workers = 1, for one order of events"};
    }
    config.workers = 1;
  }
  if (config.workers == 0) config.workers = workers_from_environment();
  if (config.workers > max_workers) {
    throw std::invalid_argument{fmt::format("runtime_config: workers is {}: it must be at most {}",
                                            config.workers, max_workers)};
  }
  if (config.clock == nullptr) {
    throw std::invalid_argument{"runtime_config: clock is null: leave it out for the real clock"};
  }
  if (config.max_blocking_threads == 0) {
    throw std::invalid_argument{"runtime_config: max_blocking_threads is 0: it must be at least 1"};
  }
  if (config.deadline <= std::chrono::nanoseconds::zero()) {
    throw std::invalid_argument{"runtime_config: deadline must be above zero"};
  }
  if (config.shutdown_budget < std::chrono::nanoseconds::zero()) {
    throw std::invalid_argument{"runtime_config: shutdown_budget is below zero"};
  }
  config.shutdown_budget =
      std::min<std::chrono::nanoseconds>(config.shutdown_budget, max_shutdown_budget);
  return config;
}

}  // namespace troupe
