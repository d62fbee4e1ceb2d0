#include <troupe/sim/errors.hpp>

#include <fmt/format.h>

#include <utility>

namespace troupe::inline v0_1::sim {

violation::violation(std::string name, std::uint64_t seed, std::uint64_t step, duration time)
    : std::runtime_error{fmt::format("does not hold: {} (seed {}, step {}, after {:.6f} s)", name,
                                     seed, step, std::chrono::duration<double>(time).count())},
      name_{std::move(name)},
      seed_{seed},
      step_{step},
      time_{time} {}

}  // namespace troupe::inline v0_1::sim
