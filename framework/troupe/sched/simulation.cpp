#include <troupe/sched/simulation.hpp>

namespace troupe::inline v0_1 {

namespace {

constinit thread_local simulated_thread* current_thread = nullptr;

}  // namespace

simulated_thread* simulated_thread::current() noexcept { return current_thread; }

void simulated_thread::set_current(simulated_thread* self) noexcept { current_thread = self; }

}  // namespace troupe::inline v0_1
