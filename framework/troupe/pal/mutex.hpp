#pragma once

#include <pthread.h>

#include <mutex>

#include <troupe/version.hpp>

namespace troupe::inline v0_1::pal {

/// A mutex for a few instructions: who finds it taken looks a few times before it sleeps. A sleep
/// and a wake-up by the kernel cost both threads a hundred times what is done under such a lock.
/// Made when the program runs, and not before as its base: a global one belongs into a function.
class mutex : public std::mutex {
public:
  mutex() noexcept {
#if defined(PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP)
    *native_handle() = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
#endif
  }
};

using lock = std::unique_lock<std::mutex>;

}  // namespace troupe::inline v0_1::pal
