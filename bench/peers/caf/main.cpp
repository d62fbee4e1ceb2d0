// CAF's side of the benchmark, on CAF alone.
//
// `caf_bench WORK [--workers 2] [--size N] [--warm-up W] [--repeat R]` prints for each figure of
// the work one tab-separated line: `work  caf  median  unit  min  max`. `--size` is the total
// number of operations (actors, requests, values, hops, ...). Exit code 2: wrong usage or no such
// work.
//
// Every work runs inside actors: the main thread is not a worker, and only waits for the end.

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "works.hpp"

namespace bench {

void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "caf_bench: %s\n", what);
  // Not exit(): this may be a worker, for which the destructors would wait.
  std::_Exit(1);
}

double seconds_since(real_clock::time_point start) {
  return std::chrono::duration<double>(real_clock::now() - start).count();
}

figures rate(const char* name, const char* unit, std::uint64_t count,
             real_clock::time_point start) {
  return {{name, unit, static_cast<double>(count) / seconds_since(start)}};
}

namespace {

struct work {
  std::string_view name;
  std::uint64_t size;
  figures (*run)(caf::actor_system&, std::uint64_t);
  caf::atom_value policy = caf::atom("stealing");  // CAF's default
  std::size_t max_throughput = 0;  // messages per turn of an actor; 0: CAF's default, no limit
};

// One work queue for all workers in place of one each: never slower where it is named here, and
// slower elsewhere (ring 0.6 x, ping_pong 0.5 x).
constexpr caf::atom_value sharing = caf::atom("sharing");

constexpr work works[] = {
    {"spawn", 1'000'000, &spawn},
    {"yield", 2'000'000, &yields, caf::atom("stealing"), 1},
    {"skynet", 1'000'000, &skynet},
    {"memory", 1'000'000, &memory},
    {"fan_in_unbounded", 4'000'000, &fan_in_unbounded},
    {"ping_pong", 1'000'000, &ping_pong},
    {"coordinator", 2'000'000, &coordinator, sharing},
    {"ring", 2'000'000, &ring},
    {"timers", 1'000'000, &timers, sharing},
    {"timeouts", 500'000, &timeouts},
};

struct options {
  std::string_view work;
  std::uint64_t workers = 2;
  std::uint64_t size = 0;  // 0: the work's own
  std::uint64_t warm_up = 0;
  std::uint64_t repeat = 1;
};

[[noreturn]] void usage(const std::string& problem) {
  std::fprintf(stderr, "caf_bench: %s\n", problem.c_str());
  std::fputs("usage: caf_bench WORK [--workers 2] [--size N] [--warm-up W] [--repeat R]\nworks:",
             stderr);
  for (const work& each : works) std::fprintf(stderr, " %s", each.name.data());
  std::fputs("\n", stderr);
  std::exit(2);
}

std::uint64_t positive_number(std::string_view option, std::string_view text) {
  std::uint64_t number = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size() || number == 0) {
    usage(std::string{option} + " needs a positive number");
  }
  return number;
}

options parse_options(int count, char** arguments) {
  if (count < 2) usage("no work named");
  options given;
  given.work = arguments[1];
  for (int i = 2; i < count; i += 2) {
    std::string_view name = arguments[i];
    std::uint64_t number = positive_number(name, i + 1 < count ? arguments[i + 1] : "");
    if (name == "--workers") {
      given.workers = number;
    } else if (name == "--size") {
      given.size = number;
    } else if (name == "--warm-up") {
      given.warm_up = number;
    } else if (name == "--repeat") {
      given.repeat = number;
    } else {
      usage("unknown option " + std::string{name});
    }
  }
  return given;
}

// One line per figure, over all repetitions.
void print_figures(const std::vector<figures>& repetitions) {
  for (std::size_t i = 0; i < repetitions[0].size(); ++i) {
    std::vector<double> values;
    for (const figures& each : repetitions) values.push_back(each[i].value);
    std::sort(values.begin(), values.end());
    double median = (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
    const figure& first = repetitions[0][i];
    std::printf("%s\tcaf\t%.6f\t%s\t%.6f\t%.6f\n", first.name, median, first.unit, values.front(),
                values.back());
  }
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  options given = parse_options(argc, argv);
  const work* chosen = std::ranges::find(works, given.work, &work::name);
  if (chosen == std::end(works)) usage("no such work: " + std::string{given.work});
  caf::actor_system_config config;
  config.set("scheduler.max-threads", given.workers);
  config.set("scheduler.policy", chosen->policy);
  if (chosen->max_throughput > 0) {
    config.set("scheduler.max-throughput", chosen->max_throughput);
  }
  caf::actor_system system{config};
  std::uint64_t size = given.size > 0 ? given.size : chosen->size;
  for (std::uint64_t i = 0; i < given.warm_up; ++i) chosen->run(system, size);
  std::vector<figures> repetitions;
  for (std::uint64_t i = 0; i < given.repeat; ++i) repetitions.push_back(chosen->run(system, size));
  print_figures(repetitions);
  // Leave at once: freeing a million idle actors is not part of any work.
  std::fflush(stdout);
  std::_Exit(0);
}
