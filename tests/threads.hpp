#pragma once

#include <cstddef>
#include <vector>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/thread.hpp>

namespace troupe::test {

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define TROUPE_TEST_SANITIZED 1
#endif
#endif
#if defined(TROUPE_TEST_SANITIZED) || defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__)
inline constexpr bool is_slow_build = true;
#else
inline constexpr bool is_slow_build = false;
#endif

/// Returns: `count` repetitions in an optimised build, a tenth under sanitizers and without -O.
constexpr std::size_t rounds(std::size_t count) { return is_slow_build ? count / 10 + 1 : count; }

/// Runs `act(index)` on `count` threads that begin at the same moment, and waits for all.
template <class Act>
void race(std::size_t count, Act act) {
  pal::atomic<std::size_t> missing{count};
  std::vector<pal::thread> threads;
  for (std::size_t i = 0; i < count; ++i) {
    threads.emplace_back([&missing, &act, i] {
      missing.fetch_sub(1);
      while (missing.load() != 0) std::this_thread::yield();
      act(i);
    });
  }
  for (auto& thread : threads) thread.join();
}

/// Yields the processor until `condition()` holds.
template <class Condition>
void wait_until(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

}  // namespace troupe::test
