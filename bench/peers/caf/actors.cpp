// Works on bare actors: spawn, yield, skynet, memory.

#include <unistd.h>

#include <cstdio>
#include <future>
#include <latch>

#include "works.hpp"

namespace bench {

using caf::actor;
using caf::behavior;
using caf::event_based_actor;

/// Fair: the smallest actor, a function without a behavior, started by actors, so that no queue is
/// entered from outside, and a thousand each turn, see start_many. One counter tells the end. In
/// CPU time per million: this 1.1 s, from the main thread 1.5 s, a class in place of a function and
/// `hidden` ones, which CAF does not count, 1.1 s. lazy_init would not run the actors at all.
figures spawn(caf::actor_system& system, std::uint64_t size) {
  std::latch all{static_cast<std::ptrdiff_t>(size)};
  auto start = real_clock::now();
  system.spawn([&all, size](event_based_actor* self) {
    start_many(self, 0, size, [&all](event_based_actor* by, std::uint64_t) {
      by->spawn([&all] { all.count_down(); });
    });
  });
  all.wait();
  return rate("spawn", "tasks/s", size, start);
}

namespace {

constexpr std::uint64_t yielding_actors = 200;

behavior give_way(event_based_actor* self, std::uint64_t turns, std::latch* all) {
  self->send(self, turns - 1);
  return {[=](std::uint64_t left) {
    if (left > 0) return self->send(self, left - 1);
    all->count_down();
    self->quit();
  }};
}

}  // namespace

/// Fair: a message to itself is CAF's only way to yield, and only one message per turn makes it
/// one: without `scheduler.max-throughput` an actor goes on as long as its mailbox has something,
/// and the others never get a turn: 7 x as many messages per second, but no yields.
figures yields(caf::actor_system& system, std::uint64_t size) {
  std::uint64_t each = std::max<std::uint64_t>(size / yielding_actors, 1);
  std::latch all{yielding_actors};
  auto start = real_clock::now();
  system.spawn([&](event_based_actor* self) {
    for (std::uint64_t i = 0; i < yielding_actors; ++i) self->spawn(give_way, each, &all);
  });
  all.wait();
  return rate("yield", "yields/s", each * yielding_actors, start);
}

namespace {

constexpr std::uint64_t children = 10;

// A node for the leaves `first .. first + leaves`, which sends the sum of them to its parent.
behavior skynet_node(event_based_actor* self, actor parent, std::uint64_t first,
                     std::uint64_t leaves) {
  if (leaves == 1) {
    self->send(parent, first);
    return {};
  }
  std::uint64_t part = leaves / children;
  for (std::uint64_t i = 0; i < children; ++i) {
    self->spawn(skynet_node, actor{self}, first + i * part, part);
  }
  return {[self, parent = std::move(parent), missing = children,
           sum = std::uint64_t{0}](std::uint64_t of_child) mutable {
    sum += of_child;
    if (--missing > 0) return;
    self->send(parent, sum);
    self->quit();
  }};
}

}  // namespace

/// Fair: the plain way, one message per child and a behavior that owns the sum. A class per node
/// and `hidden` actors were measured too: the same CPU time.
figures skynet(caf::actor_system& system, std::uint64_t size) {
  std::uint64_t leaves = 1;
  while (leaves * children <= size) leaves *= children;
  std::promise<std::uint64_t> sum;
  auto start = real_clock::now();
  system.spawn([&](event_based_actor* self) -> behavior {
    self->spawn(skynet_node, actor{self}, std::uint64_t{0}, leaves);
    return {[self, &sum](std::uint64_t of_root) {
      sum.set_value(of_root);
      self->quit();
    }};
  });
  std::uint64_t found = sum.get_future().get();
  double seconds = seconds_since(start);
  check(found == leaves * (leaves - 1) / 2, "skynet: wrong sum");
  return {{"skynet", "s", seconds}};
}

namespace {

std::uint64_t resident_bytes() {
  unsigned long long pages = 0;
  std::FILE* statm = std::fopen("/proc/self/statm", "r");
  bool read = statm != nullptr && std::fscanf(statm, "%*u %llu", &pages) == 1;
  check(read, "/proc/self/statm");
  std::fclose(statm);
  return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

behavior waiting(event_based_actor*, std::latch* all) {
  all->count_down();
  return {[](std::uint64_t) {}};
}

}  // namespace

/// Fair: a function-based actor with the smallest behavior, once it has run. The handles live in
/// memory touched before the first reading. A class (the same) and `hidden` (the same) were
/// measured too; lazy_init puts off the behavior until a message arrives, and is no actor that
/// waits for one. Earlier repetitions stay alive, as freed memory would hide the growth of the next
/// one.
figures memory(caf::actor_system& system, std::uint64_t size) {
  auto& idle = *new std::vector<actor>(size);
  std::latch all{static_cast<std::ptrdiff_t>(size)};
  std::uint64_t before = resident_bytes();
  system.spawn([&, size](event_based_actor* self) {
    start_many(self, 0, size,
               [&](event_based_actor* by, std::uint64_t i) { idle[i] = by->spawn(waiting, &all); });
  });
  all.wait();
  double grown = static_cast<double>(resident_bytes() - before);
  return {{"memory", "bytes", grown / static_cast<double>(size)}};
}

}  // namespace bench
