// sim_scenarios: plays one random program for each seed in a simulated world, and checks what
// troupe promises. The last line is JSON.

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <exception>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "families.hpp"
#include "play.hpp"
#include "players.hpp"

namespace troupe::scenarios {

namespace {

constexpr std::string_view usage =
    "sim_scenarios --seeds FIRST..LAST [--family NAME] [--jobs N] [--twice N] [--keep-going]\n"
    "sim_scenarios --seeds N --replay [--family NAME]\n"
    "sim_scenarios --families\n\n"
    "  --jobs N       processes that share the seeds; 1\n"
    "  --twice N      every N-th seed runs twice, and has to have the same history; 10\n"
    "  --keep-going   do not stop at the first violation\n"
    "  --replay       print all that happens in the scenario of one seed\n";

std::uint64_t number_in(std::string_view text) {
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw std::invalid_argument{fmt::format("no number: {}", text)};
  }
  return number;
}

void read_seeds(std::string_view text, task_list& into) {
  auto dots = text.find("..");
  into.first = number_in(text.substr(0, dots));
  into.last = dots == std::string_view::npos ? into.first : number_in(text.substr(dots + 2));
}

bool is_family(std::string_view name) {
  for (const family& each : families()) {
    if (each.name == name) return true;
  }
  return false;
}

struct arguments {
  task_list what;
  bool replays = false;
  bool lists = false;
};

arguments read_arguments(std::span<char*> given) {
  arguments read;
  for (std::size_t i = 0; i < given.size(); ++i) {
    std::string_view name = given[i];
    auto value = [&]() -> std::string_view {
      if (++i == given.size()) throw std::invalid_argument{fmt::format("{} has no value", name)};
      return given[i];
    };
    if (name == "--seeds") {
      read_seeds(value(), read.what);
    } else if (name == "--family") {
      read.what.family = value();
      if (!is_family(read.what.family)) throw std::invalid_argument{"there is no such family"};
    } else if (name == "--jobs") {
      read.what.jobs = number_in(value());
    } else if (name == "--twice") {
      read.what.twice_every = number_in(value());
    } else if (name == "--keep-going") {
      read.what.keeps_going = true;
    } else if (name == "--replay") {
      read.replays = true;
    } else if (name == "--families") {
      read.lists = true;
    } else {
      throw std::invalid_argument{fmt::format("unknown: {}", name)};
    }
  }
  if (read.what.jobs == 0 || read.what.twice_every == 0) {
    throw std::invalid_argument{"zero is too few"};
  }
  return read;
}

int replay(const task_list& what) {
  outcome seen = play(what.first, what.family, true);
  for (const std::string& line : seen.trace) fmt::print("{}\n", line);
  fmt::print("seed {}, {}: {} steps, {:.6f} s, hash {:016x}\n", what.first, seen.family, seen.steps,
             std::chrono::duration<double>(seen.length).count(), seen.hash);
  if (seen.violation) fmt::print("does not hold: {}\n", *seen.violation);
  return seen.violation ? 1 : 0;
}

}  // namespace

}  // namespace troupe::scenarios

int main(int count, char** values) {
  using namespace troupe::scenarios;
  try {
    arguments read = read_arguments(std::span{values, static_cast<std::size_t>(count)}.subspan(1));
    if (read.lists) {
      for (const family& each : families()) fmt::print("{}\n", each.name);
      return 0;
    }
    return read.replays ? replay(read.what) : play_all(read.what, values[0]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "sim_scenarios: {}\n{}", error.what(), usage);
    return 2;
  }
}
