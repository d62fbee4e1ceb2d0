#pragma once

// Relacy, without the macros of relacy/relacy.hpp that replace `new`, `free`, the memory orders and
// more: headers that are included later stay as they are.

#include <concepts>
#include <cstddef>
#include <cstdint>

#include <model/fibers.hpp>
#include <model/heap.hpp>
#include <relacy/base.hpp>

// Relacy's generator has 32 bits of state, of which a choice among two or four uses the low ones:
// two threads would have 2^18 schedules at most. This one stands in for it.
#define RL_RANDOM_HPP

namespace rl {

/// Splitmix64. Source: Steele, Lea, Flood, Fast splittable pseudorandom number generators, 2014.
struct random_generator {
  std::uint64_t state = 0;

  void seed(iteration_t number) {
    state = number;
    state = next();  // Neighbours would walk through the same numbers otherwise.
  }

  /// A number of 32 bits, whose only use is `number % limit`: here that is no division.
  struct drawn {
    std::uint32_t number;

    template <std::integral Limit>
    Limit operator%(Limit limit) const {
      return static_cast<Limit>(std::uint64_t{number} * static_cast<std::uint32_t>(limit) >> 32);
    }
  };
  drawn rand() { return {static_cast<std::uint32_t>(next() >> 32)}; }

private:
  std::uint64_t next() {
    std::uint64_t mixed = (state += 0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
};

}  // namespace rl

#include <relacy/atomic_fence.hpp>
#include <relacy/context.hpp>
#include <relacy/context_base_impl.hpp>
#include <relacy/dyn_thread.hpp>
#include <relacy/stdlib/condition_variable.hpp>
#include <relacy/stdlib/event.hpp>
#include <relacy/stdlib/mutex.hpp>
#include <relacy/stdlib/semaphore.hpp>
#include <relacy/test_suite.hpp>
#include <relacy/thread_local.hpp>
#include <relacy/var.hpp>

// Relacy replaces the plain ones alone. A model is one translation unit.
void* operator new(std::size_t size_bytes, const std::nothrow_t&) noexcept {
  return ::operator new(size_bytes);
}
void operator delete(void* block, std::size_t) noexcept { ::operator delete(block); }
void operator delete[](void* block, std::size_t) noexcept { ::operator delete[](block); }
