#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <troupe/pal/atomic.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/event.hpp>

namespace troupe::bench {

/// What one measurement is told.
struct settings {
  std::size_t workers = 2;
  std::size_t size = 0;  ///< 0: the work's own.
};

/// What a work tells; without a name of its own it goes by the work's.
struct figure {
  std::string name{};
  const char* unit = "";
};

/// One work: its figures, and one repetition of it, which yields their values in the same order.
struct work {
  work() = default;
  work(const char* unit, std::function<double(const settings&)> one)
      : figures{{{}, unit}}, measure{[one = std::move(one)](const settings& given) {
          return std::vector<double>{one(given)};
        }} {}
  work(std::vector<figure> several, std::function<std::vector<double>(const settings&)> all)
      : figures{std::move(several)}, measure{std::move(all)} {}

  std::vector<figure> figures;
  std::function<std::vector<double>(const settings&)> measure;
};

/// All works that yield figures, by name.
const std::map<std::string, work>& works();

/// The parts of it: what tasks do, alone, with channels and with time; what actors do, two by two
/// and by the million; and how they fail.
std::map<std::string, work> task_works();
std::map<std::string, work> message_works();
std::map<std::string, work> time_works();
std::map<std::string, work> actor_works();
std::map<std::string, work> network_works();
std::map<std::string, work> crash_works();
/// What a worker that computes leaves to another one; what it costs to have many of something.
std::map<std::string, work> steal_works();
std::map<std::string, work> growth_works();

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

/// Returns: how many leaves the largest tree with ten children a node and at most `size` has.
inline std::uint64_t tree_leaves(std::size_t size) {
  std::uint64_t leaves = 1;
  while (leaves * 10 <= size) leaves *= 10;
  return leaves;
}

/// Counts down to zero, and then wakes the one task that waits for it.
class countdown {
public:
  explicit countdown(std::size_t count) noexcept : left_{count} {}

  void count_down() noexcept {
    // Who waits sees what all others did before they counted.
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) is_zero_.set();
  }
  [[nodiscard]] auto zero() noexcept { return is_zero_.wait(); }

private:
  pal::atomic<std::size_t> left_;
  event is_zero_;
};

// Runs `work` as a task of a fresh runtime and returns what it returns.
template <class Work>
auto on_runtime(const settings& given, Work work) {
  runtime_config config;
  config.workers = given.workers;
  runtime rt{config};
  return rt.block_on(work);
}

}  // namespace troupe::bench
