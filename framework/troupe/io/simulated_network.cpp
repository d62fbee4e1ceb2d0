#include <troupe/io/simulated_network.hpp>

#include <troupe/sched/scheduler.hpp>

namespace troupe::inline v0_1::io {

simulated_network* simulated_network::current() noexcept {
  scheduler* here = scheduler::current();
  return here == nullptr ? nullptr : dynamic_cast<simulated_network*>(&here->io());
}

}  // namespace troupe::inline v0_1::io
