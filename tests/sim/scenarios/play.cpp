#include "play.hpp"

#include <fmt/format.h>

#include <exception>

#include "families.hpp"
#include "heap.hpp"
#include "scene.hpp"

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

const family& choose(pal::random& numbers, std::string_view only) {
  const family& chosen = families()[numbers.below(families().size())];
  for (const family& each : families()) {
    if (each.name == only) return each;
  }
  return chosen;
}

}  // namespace

outcome play(std::uint64_t seed, std::string_view only, bool keeps_trace) {
  pal::random numbers{seed ^ 0x5ce9a41105U};
  const family& of = choose(numbers, only);
  sim::world_config config;
  config.seed = seed;
  config.keeps_trace = keeps_trace;
  if (numbers.below(4) == 0) config.max_turn_time = 1us + 1us * numbers.below(100);
  config.max_steps_at_once = 200'000;

  outcome seen;
  seen.family = of.name;
  scene here{config};
  try {
    of.play(here);
  } catch (const std::exception& error) {
    here.fail(error.what());
  }
  if (here.failure()) here.note_history();
  seen.violation = here.failure();
  seen.hash = here.hash();
  seen.steps = here.steps();
  seen.length = here.length();
  seen.trace = here.trace();
  return seen;
}

outcome play_twice(std::uint64_t seed, std::string_view only) {
  outcome first = play(seed, only, false);
  if (first.violation) return first;
  std::size_t before = blocks_on_heap();
  outcome second = play(seed, only, false);
  std::size_t after = blocks_on_heap();
  if (second.violation) return second;
  if (second.hash != first.hash) {
    second.violation = fmt::format("two runs of the seed have the hashes {:016x} and {:016x}",
                                   first.hash, second.hash);
  } else if (after > before) {
    second.violation =
        fmt::format("the second run of the seed leaves {} blocks on the heap", after - before);
  }
  return second;
}

}  // namespace troupe::scenarios
