#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include <caf/all.hpp>

namespace bench {

/// One measured figure of one repetition.
struct figure {
  const char* name;
  const char* unit;
  double value;
};

using figures = std::vector<figure>;
using real_clock = std::chrono::steady_clock;

/// The works, each told the total number of its operations.
figures spawn(caf::actor_system& system, std::uint64_t size);
figures yields(caf::actor_system& system, std::uint64_t size);
figures skynet(caf::actor_system& system, std::uint64_t size);
figures memory(caf::actor_system& system, std::uint64_t size);
figures fan_in_unbounded(caf::actor_system& system, std::uint64_t size);
figures ping_pong(caf::actor_system& system, std::uint64_t size);
figures coordinator(caf::actor_system& system, std::uint64_t size);
figures ring(caf::actor_system& system, std::uint64_t size);
figures timers(caf::actor_system& system, std::uint64_t size);
figures timeouts(caf::actor_system& system, std::uint64_t size);

/// Ends the program with a message where a work has a wrong result.
void check(bool holds, const char* what);

double seconds_since(real_clock::time_point start);

/// What most works tell: operations per second since `start`.
figures rate(const char* name, const char* unit, std::uint64_t count, real_clock::time_point start);

/// Calls `start_one(self, i)` for each i from `first` to `end`, which starts an actor.
///
/// A thousand each turn, and the turn that follows is another actor's: a worker of CAF steals the
/// oldest job of a queue, which it finds by walking through all of them under a lock. A hundred
/// thousand actors that one turn started took 9 s, and a million more than a minute.
template <class StartOne>
void start_many(caf::event_based_actor* self, std::uint64_t first, std::uint64_t end,
                StartOne start_one) {
  std::uint64_t next = std::min(first + 1000, end);
  if (next < end) {
    self->spawn(
        [=](caf::event_based_actor* follower) { start_many(follower, next, end, start_one); });
  }
  for (std::uint64_t i = first; i < next; ++i) start_one(self, i);
}

}  // namespace bench
