#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include <troupe/runtime/runtime.hpp>

namespace troupe::bench {

/// What one measurement is told.
struct settings {
  std::size_t workers = 2;
  std::size_t size = 0;  ///< 0: the work's own.
};

/// One repetition of a work. Returns: the figure, in the work's unit.
struct work {
  const char* unit;
  std::function<double(const settings&)> measure;
};

/// All works that yield a figure, by name.
const std::map<std::string, work>& works();

/// The parts of it: what tasks do, what actors do, and how they fail.
std::map<std::string, work> message_works();
std::map<std::string, work> actor_works();
std::map<std::string, work> crash_works();

/// Returns: what this process holds of the machine's memory.
std::size_t resident_bytes();

/// Servers and idle processes, which run until they are told to stop.
int serve_echo(const settings& given);
int stay_idle(const settings& given);

using real_clock = std::chrono::steady_clock;

inline double seconds_since(real_clock::time_point start) {
  return std::chrono::duration<double>(real_clock::now() - start).count();
}

inline std::size_t size_or(const settings& given, std::size_t usual) {
  return given.size == 0 ? usual : given.size;
}

// Runs `work` as a task of a fresh runtime and returns what it returns.
template <class Work>
double on_runtime(const settings& given, Work work) {
  runtime_config config;
  config.workers = given.workers;
  runtime rt{config};
  return rt.block_on(work);
}

}  // namespace troupe::bench
