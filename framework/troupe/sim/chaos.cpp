#include <troupe/sim/chaos.hpp>

#include <utility>

#include <troupe/base/assert.hpp>

namespace troupe::inline v0_1::sim {

void chaos::may(std::string what, std::function<void()> act) {
  faults_.push_back({std::move(what), std::move(act)});
}

void chaos::draw(std::size_t most, duration length) {
  if (faults_.empty())
    misuse("sim::chaos::draw() was called without a fault: add some with may() [X06]");
  std::uint64_t count = world_.fault_numbers_.below(most + 1);
  for (std::uint64_t i = 0; i < count; ++i) {
    auto delay = world_.fault_numbers_.below(static_cast<std::uint64_t>(length.count()) + 1);
    const fault& drawn = faults_[world_.fault_numbers_.below(faults_.size())];
    world_.add_fault(duration{static_cast<duration::rep>(delay)}, drawn.what, drawn.act);
  }
}

}  // namespace troupe::inline v0_1::sim
