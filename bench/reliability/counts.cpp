// What the framework must keep exact while things go wrong in it, by numbers: each mode prints one
// line of JSON.

#include <unistd.h>

#include <exception>
#include <fstream>
#include <string>

#include <fmt/core.h>

#include "../../samples/options.hpp"
#include "counts.hpp"

namespace reliability {

std::size_t resident_bytes() {
  std::size_t mapped_pages = 0, resident_pages = 0;
  std::ifstream{"/proc/self/statm"} >> mapped_pages >> resident_pages;
  return resident_pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace reliability

int main(int argc, char** argv) {
  using namespace reliability;
  samples::options given{argc, argv};
  struct {
    const char* flag;
    std::string (*run)(const settings&);
  } modes[] = {{"--crashes", &storm_of_crashes},
               {"--overload", &flood},
               {"--timers", &jumping_clock},
               {"--stalls", &planted_stalls}};
  std::string (*chosen)(const settings&) = nullptr;
  for (auto [flag, run] : modes) {
    if (given.flag(flag)) chosen = run;
  }
  settings how;
  how.count = given.number<std::uint64_t>("--count", 1, 1, 1'000'000'000);
  how.seconds = given.number<std::uint64_t>("--seconds", 1, 1, 3600);
  how.seed = given.number<std::uint64_t>("--seed", 1, 1, UINT64_MAX);
  given.end();
  if (chosen == nullptr) {
    fmt::print(stderr, "reliability_counts: a mode is needed; see --help\n");
    return 2;
  }
  try {
    fmt::print("{}\n", chosen(how));
  } catch (const std::exception& error) {
    fmt::print(stderr, "reliability_counts: {}\n", error.what());
    return 1;
  }
  return 0;
}
