#pragma once

#include <pthread.h>

#include <cstddef>
#include <string>
#include <thread>

#include <troupe/version.hpp>

namespace troupe::inline v0_1::pal {

using thread = std::thread;

/// One that lives; to be sent a signal.
using thread_id = pthread_t;
inline thread_id this_thread() noexcept { return pthread_self(); }

/// Lets the calling thread run on the core of that index alone, among those that this process may
/// use; counted round. Returns: false when the system refuses.
bool pin_to_core(std::size_t index) noexcept;

/// Names the calling thread for debuggers and `top`; cut to the system's 15 characters.
void set_thread_name(const std::string& name) noexcept;

/// Lets timed waits of the calling thread end when they should: by default the system adds up to 50
/// us, to wake several threads at once.
void wake_up_in_time() noexcept;

/// Returns: how many threads can run at once in this process (its CPU affinity), at least 1.
unsigned usable_cores() noexcept;

/// Lets other threads of this core go first.
inline void yield_thread() noexcept { std::this_thread::yield(); }

/// Tells the processor that this thread waits for another one's next store.
inline void spin_hint() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#else
#error "troupe runs on x86-64 and arm64 Linux"
#endif
}

}  // namespace troupe::inline v0_1::pal
