#include <troupe/pal/thread.hpp>

#include <pthread.h>
#include <sched.h>

namespace troupe::pal {

void set_thread_name(const std::string& name) noexcept {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

unsigned usable_cores() noexcept {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) {
    return static_cast<unsigned>(CPU_COUNT(&set));
  }
  return 1;
}

}  // namespace troupe::pal
