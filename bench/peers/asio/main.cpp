// Boost.Asio's side of the benchmark, with C++20 coroutines.
//
// `asio_bench WORK [--workers 2] [--size N] [--warm-up W] [--repeat R]` prints for each figure of
// the work one tab-separated line: `work  asio  median  unit  min  max`. `--size` is the total
// number of operations (coroutines, requests, values, hops, ...). `asio_bench echo` is a server: it
// prints `listening on ADDRESS` and serves until SIGTERM. Exit code 2: wrong usage or no such work.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "works.hpp"

namespace {

using namespace asio_bench;

constexpr work works[] = {
    {"spawn", 1'000'000, spawn},         {"yield", 2'000'000, yield},
    {"skynet", 1'000'000, skynet},       {"memory", 1'000'000, memory},
    {"fan_in", 4'000'000, fan_in},       {"fan_in_unbounded", 4'000'000, fan_in_unbounded},
    {"ping_pong", 1'000'000, ping_pong}, {"coordinator", 2'000'000, coordinator},
    {"ring", 2'000'000, ring},           {"timers", 1'000'000, timers},
    {"timeouts", 1'000'000, timeouts},
};

[[noreturn]] void usage(const std::string& problem) {
  std::fprintf(stderr,
               "asio_bench: %s\nusage: asio_bench WORK [--workers 2] [--size N] [--warm-up W] "
               "[--repeat R]\nworks:",
               problem.c_str());
  for (const work& known : works) std::fprintf(stderr, " %s", std::string{known.name}.c_str());
  std::fputs(" echo\n", stderr);
  std::exit(2);
}

struct options {
  settings given;
  std::size_t warm_up = 0, repeat = 1;
};

std::size_t to_number(const std::string& name, const char* text) {
  std::string_view digits{text != nullptr ? text : ""};
  std::size_t number = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  bool is_whole = error == std::errc{} && end == digits.data() + digits.size();
  if (!is_whole || number == 0) usage(name + " needs a positive number");
  return number;
}

options parse_options(char** arguments) {
  options parsed;
  for (; *arguments != nullptr; arguments += 2) {
    std::string name{*arguments};
    std::size_t value = to_number(name, arguments[1]);
    if (name == "--workers") {
      parsed.given.workers = value;
    } else if (name == "--size") {
      parsed.given.size = value;
    } else if (name == "--warm-up") {
      parsed.warm_up = value;
    } else if (name == "--repeat") {
      parsed.repeat = value;
    } else {
      usage("unknown option " + name);
    }
  }
  return parsed;
}

/// One line per figure, over all repetitions.
void print_figures(const std::vector<std::vector<figure>>& repetitions) {
  for (std::size_t index = 0; index < repetitions[0].size(); ++index) {
    const figure& first = repetitions[0][index];
    std::vector<double> values;
    for (const auto& figures : repetitions) values.push_back(figures[index].value);
    std::sort(values.begin(), values.end());
    double median = (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
    std::printf("%s\tasio\t%.6f\t%s\t%.6f\t%.6f\n", std::string{first.name}.c_str(), median,
                std::string{first.unit}.c_str(), values.front(), values.back());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) usage("no work named");
  std::string_view name{argv[1]};
  options parsed = parse_options(argv + 2);
  if (name == "echo") serve_echo(parsed.given);
  auto chosen = std::find_if(std::begin(works), std::end(works),
                             [name](const work& known) { return known.name == name; });
  if (chosen == std::end(works)) usage("no such work: " + std::string{name});
  if (parsed.given.size == 0) parsed.given.size = chosen->size;
  for (std::size_t i = 0; i < parsed.warm_up; ++i) chosen->measure(parsed.given);
  std::vector<std::vector<figure>> repetitions;
  for (std::size_t i = 0; i < parsed.repeat; ++i) {
    repetitions.push_back(chosen->measure(parsed.given));
  }
  print_figures(repetitions);
  // Leave at once: freeing a million idle coroutines is not part of any work.
  std::fflush(stdout);
  std::_Exit(0);
}
