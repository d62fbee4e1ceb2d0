// Handlers that block, among others that do not: each must be told of by name, and no other.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include <troupe/actor/actor.hpp>
#include <troupe/base/log.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/pal/random.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>

#include "counts.hpp"

namespace reliability {

using namespace std::chrono_literals;
using namespace troupe;

namespace {

constexpr std::string_view what_is_told = "is held up";

pal::mutex told_mutex;
std::vector<std::string> told;

void keep_stalls(log_level, std::string_view line) {
  if (line.find(what_is_told) == std::string_view::npos) return;
  pal::lock guard{told_mutex};
  told.emplace_back(line);
}

struct block_for {
  std::chrono::milliseconds length;
};
class blocker : public actor {
public:
  void on(block_for m) { std::this_thread::sleep_for(m.length); }
};

// Busy, but never for long.
task<> be_harmless(const bool& is_over, pal::random dice) {
  auto harmless = spawn<blocker>(actor_options{.name = "harmless"});
  while (!is_over) {
    block_for little{std::chrono::milliseconds{dice.below(10)}};
    co_await harmless.ask(little);
    co_await sleep_for(1ms);
  }
}

// The watch tells of one stall in a second and counts the rest: they are planted further apart.
task<> plant(std::string prefix, std::uint64_t count, pal::random dice) {
  bool is_over = false;
  auto others = spawn(be_harmless, std::cref(is_over), pal::random{dice.next()});
  for (std::uint64_t i = 0; i < count; ++i) {
    auto one = spawn<blocker>(actor_options{.name = fmt::format("{}-{}.", prefix, i)});
    block_for long_enough{std::chrono::milliseconds{250 + dice.below(250)}};
    co_await one.ask(long_enough);
    co_await sleep_for(std::chrono::milliseconds{1'050 + dice.below(100)});
  }
  is_over = true;
  co_await others;
}

}  // namespace

std::string planted_stalls(const settings& how) {
  constexpr std::uint64_t runtimes = 8;  // Each has a watch of its own.
  set_log_sink(&keep_stalls);
  std::uint64_t each = (how.count + runtimes - 1) / runtimes;
  pal::random dice{how.seed};
  std::vector<std::unique_ptr<runtime>> all;
  std::vector<join_handle<void>> running;
  for (std::uint64_t i = 0; i < runtimes; ++i) {
    runtime_config config;
    config.workers = 1;  // Else what is harmless shares a flag over threads.
    all.push_back(std::make_unique<runtime>(config));
    running.push_back(
        all.back()->spawn(plant, fmt::format("planted-{}", i), each, pal::random{dice.next()}));
  }
  for (std::uint64_t i = 0; i < runtimes; ++i) {
    all[i]->block_on([&]() -> task<> { co_await running[i]; });
  }
  all.clear();
  set_log_sink(nullptr);
  std::uint64_t reported = 0, named = 0;
  for (std::uint64_t i = 0; i < runtimes; ++i) {
    for (std::uint64_t j = 0; j < each; ++j) {
      std::string name = fmt::format("of actor planted-{}-{}.", i, j);
      auto names_it = [&](const std::string& line) { return line.find(name) != line.npos; };
      auto count = std::count_if(told.begin(), told.end(), names_it);
      named += static_cast<std::uint64_t>(count);
      if (count > 0) ++reported;
    }
  }
  return fmt::format(R"({{"planted": {}, "reported": {}, "false": {}}})", each * runtimes, reported,
                     told.size() - named);
}

}  // namespace reliability
