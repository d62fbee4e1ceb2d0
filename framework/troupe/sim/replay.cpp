#include <troupe/sim/replay.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <exception>
#include <optional>
#include <utility>

#include <troupe/base/log.hpp>
#include <troupe/task/failure.hpp>

namespace troupe::inline v0_1::sim {

namespace {

using numbers = std::vector<std::size_t>;

constexpr std::size_t most_tries = 300;
constexpr log_level shown = log_level::warning;  // It was asked for: the default sink writes it.

std::uint64_t number_in(std::string_view text, const char* variable) {
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size()) return number;
  throw std::invalid_argument{fmt::format("{}: '{}' is no number", variable, text)};
}

std::optional<std::uint64_t> seed_of_environment() {
  const char* text = std::getenv("TROUPE_SIM_SEED");
  if (text == nullptr) return std::nullopt;
  return number_in(text, "TROUPE_SIM_SEED");
}

std::optional<numbers> plan_of_environment() {
  const char* text = std::getenv("TROUPE_SIM_PLAN");
  if (text == nullptr) return std::nullopt;
  numbers kept;
  std::string_view rest{text};
  if (rest == "none") return kept;
  for (;;) {
    std::size_t end = std::min(rest.find(','), rest.size());
    kept.push_back(number_in(rest.substr(0, end), "TROUPE_SIM_PLAN"));
    if (end == rest.size()) return kept;
    rest.remove_prefix(end + 1);
  }
}

// What one run came to.
struct outcome {
  std::optional<std::string> failure;
  std::uint64_t hash = 0;
  std::uint64_t steps = 0;
  duration time{};
  std::vector<std::string> faults;  // Their texts; where one did not happen, none.
};

class test_of_seeds {
public:
  test_of_seeds(std::string_view name, const std::function<void(world&)>& body, world_config config)
      : name_{name}, body_{body}, config_{std::move(config)} {}

  [[nodiscard]] outcome run(std::uint64_t seed, std::optional<numbers> kept) {
    config_.seed = seed;
    config_.kept_faults = std::move(kept);
    world where{config_};
    outcome seen;
    try {
      body_(where);
    } catch (...) {
      seen.failure = describe(std::current_exception());
    }
    seen.hash = where.trace_hash();
    seen.steps = where.steps();
    seen.time = where.now();
    seen.faults = where.faults();
    for (const std::string& line : where.trace()) log(shown, line);
    return seen;
  }

  void replay(std::uint64_t seed) {
    config_.keeps_trace = true;
    auto kept = plan_of_environment();
    outcome seen = run(seed, kept);
    log(shown, fmt::format("{}: seed {}: {} steps in {:.3f} s, trace hash {:016x}", name_, seed,
                           seen.steps, seconds(seen.time), seen.hash));
    if (seen.failure) fail(seed, seen, kept);
  }

  /// Throws what tells of a failed run, with a short plan.
  [[noreturn]] void shrink(std::uint64_t seed, const outcome& first) {
    numbers kept(first.faults.size());
    for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = i;
    outcome shortest = first;
    outcome again = run(seed, std::nullopt);
    if (again.hash != first.hash) {
      shortest.failure = *first.failure +
                         " (and once more the same seed took another way: something outside of the "
                         "world decides)";
      fail(seed, shortest, std::nullopt);
    }
    std::size_t tries = 0;
    auto still_fails = [&](const numbers& fewer) {
      if (++tries > most_tries) return false;
      outcome seen = run(seed, fewer);
      if (!seen.failure) return false;
      shortest = std::move(seen);
      return true;
    };
    // Delta debugging: leaves out runs of faults, ever shorter ones.
    for (std::size_t length = kept.size(); length > 0;) {
      bool is_shorter = false;
      for (std::size_t begin = 0; begin < kept.size();) {
        numbers fewer = kept;
        auto from = fewer.begin() + static_cast<std::ptrdiff_t>(begin);
        fewer.erase(from,
                    from + static_cast<std::ptrdiff_t>(std::min(length, kept.size() - begin)));
        if (still_fails(fewer)) {
          kept = std::move(fewer);
          is_shorter = true;
        } else {
          begin += length;
        }
      }
      if (!is_shorter || length > 1) length /= 2;
    }
    fail(seed, shortest, first.faults.empty() ? std::nullopt : std::optional{kept});
  }

private:
  static double seconds(duration length) { return std::chrono::duration<double>{length}.count(); }

  [[noreturn]] void fail(std::uint64_t seed, const outcome& seen,
                         const std::optional<numbers>& kept) const {
    std::string text = fmt::format("{} fails with seed {}: {}\n  after {} steps, at {:.3f} s\n",
                                   name_, seed, *seen.failure, seen.steps, seconds(seen.time));
    for (std::size_t i = 0; i < seen.faults.size(); ++i) {
      if (!seen.faults[i].empty()) text += fmt::format("  fault {}: {}\n", i, seen.faults[i]);
    }
    std::string plan = kept && kept->empty() ? "none" : "";
    if (kept && !kept->empty()) plan = fmt::format("{}", fmt::join(*kept, ","));
    if (std::getenv("TROUPE_DEV") != nullptr) {
      text += fmt::format("  replay: ./dev replay {} --seed {}{}{}", name_, seed,
                          plan.empty() ? "" : " --plan ", plan);
    } else {
      text += fmt::format("  replay: run it with TROUPE_SIM_SEED={}{}{}", seed,
                          plan.empty() ? "" : " TROUPE_SIM_PLAN=", plan);
    }
    throw seed_failed{text, seed, kept.value_or(numbers{})};
  }

  const std::string_view name_;
  const std::function<void(world&)>& body_;
  world_config config_;
};

}  // namespace

void for_each_seed(std::string_view test, std::uint64_t count,
                   const std::function<void(world&)>& body, world_config config) {
  test_of_seeds runs{test, body, std::move(config)};
  if (auto only = seed_of_environment()) return runs.replay(*only);
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    outcome seen = runs.run(seed, std::nullopt);
    if (seen.failure) runs.shrink(seed, seen);
  }
}

}  // namespace troupe::inline v0_1::sim
