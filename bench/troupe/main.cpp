// The works of the benchmark, done with troupe: `troupe_bench WORK [--workers N] [--size N]
// [--warm-up N] [--repeat N]` prints one line per figure: name, "troupe", median, unit, min, max,
// by tabs.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "works.hpp"

namespace {

std::optional<std::size_t> to_number(std::string_view text) {
  std::size_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

int usage(std::string_view problem) {
  fmt::print(stderr,
             "troupe_bench: {}\nusage: troupe_bench WORK [--workers N] [--size N] "
             "[--warm-up N] [--repeat N]\nworks: echo idle",
             problem);
  for (const auto& [name, work] : troupe::bench::works()) fmt::print(stderr, " {}", name);
  fmt::print(stderr, "\n");
  return 2;
}

void print_figure(std::string_view name, std::string_view unit, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  fmt::print("{}\ttroupe\t{:.6g}\t{}\t{:.6g}\t{:.6g}\n", name, values[values.size() / 2], unit,
             values.front(), values.back());
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string_view> words(argv + 1, argv + argc);
  if (words.empty()) return usage("no work given");
  troupe::bench::settings given;
  std::size_t repeat = 1, warm_up = 0;
  for (std::size_t i = 1; i < words.size(); i += 2) {
    auto value = i + 1 < words.size() ? to_number(words[i + 1]) : std::nullopt;
    if (!value) return usage(fmt::format("{} needs a number", words[i]));
    if (words[i] == "--workers" && *value > 0) {
      given.workers = *value;
    } else if (words[i] == "--size") {
      given.size = *value;
    } else if (words[i] == "--warm-up") {
      warm_up = *value;
    } else if (words[i] == "--repeat" && *value > 0) {
      repeat = *value;
    } else {
      return usage(fmt::format("unknown or impossible: {} {}", words[i], words[i + 1]));
    }
  }
  if (words[0] == "echo") return troupe::bench::serve_echo(given);
  if (words[0] == "idle") return troupe::bench::stay_idle(given);
  auto found = troupe::bench::works().find(std::string{words[0]});
  if (found == troupe::bench::works().end()) return usage(fmt::format("no work '{}'", words[0]));
  const troupe::bench::work& wanted = found->second;
  for (std::size_t i = 0; i < warm_up; ++i) (void)wanted.measure(given);
  std::vector<std::vector<double>> rows(wanted.figures.size());
  for (std::size_t i = 0; i < repeat; ++i) {
    auto values = wanted.measure(given);
    for (std::size_t at = 0; at < rows.size(); ++at) rows[at].push_back(values.at(at));
  }
  for (std::size_t at = 0; at < rows.size(); ++at) {
    const auto& [name, unit] = wanted.figures[at];
    print_figure(name.empty() ? found->first : name, unit, std::move(rows[at]));
  }
}
