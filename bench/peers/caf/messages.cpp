// Works on messages: fan_in_unbounded, ping_pong, coordinator, ring.

#include <algorithm>
#include <future>
#include <latch>
#include <utility>

#include "works.hpp"

namespace bench {

using caf::actor;
using caf::behavior;
using caf::event_based_actor;

namespace {

constexpr std::uint64_t senders = 4;

behavior summing(event_based_actor* self, std::uint64_t count, std::promise<std::uint64_t>* to) {
  return {[=, left = count, sum = std::uint64_t{0}](std::uint64_t value) mutable {
    sum += value;
    if (--left > 0) return;
    to->set_value(sum);
    self->quit();
  }};
}

}  // namespace

/// Fair: each sender sends all in one turn, and without its name, as nobody answers: 0.85 x the CPU
/// time of `send`. A class as the receiver and high priority were measured too: the same.
figures fan_in_unbounded(caf::actor_system& system, std::uint64_t size) {
  std::uint64_t each = std::max<std::uint64_t>(size / senders, 1);
  std::promise<std::uint64_t> sum;
  auto start = real_clock::now();
  system.spawn([&](event_based_actor* self) {
    actor receiver = self->spawn(summing, each * senders, &sum);
    for (std::uint64_t i = 0; i < senders; ++i) {
      self->spawn([=](event_based_actor* sender) {
        for (std::uint64_t value = 0; value < each; ++value) sender->anon_send(receiver, value);
      });
    }
  });
  std::uint64_t found = sum.get_future().get();
  check(found == senders * (each * (each - 1) / 2), "fan_in_unbounded: wrong sum");
  return rate("fan_in_unbounded", "values/s", each * senders, start);
}

namespace {

behavior server() {
  return {[](std::uint64_t value) { return value + 1; }};
}

// Asks the server `left` times, one request after another, and checks each answer.
void ask_repeatedly(event_based_actor* self, const actor& to, std::uint64_t left, std::latch* all) {
  self->request(to, caf::infinite, left).then([=](std::uint64_t answer) {
    check(answer == left + 1, "wrong answer");
    left > 1 ? ask_repeatedly(self, to, left - 1, all) : all->count_down();
  });
}

void ask_from(caf::actor_system& system, std::uint64_t clients, std::uint64_t each) {
  std::latch all{static_cast<std::ptrdiff_t>(clients)};
  system.spawn([&](event_based_actor* self) {
    actor to = self->spawn(server);
    for (std::uint64_t i = 0; i < clients; ++i) self->spawn(ask_repeatedly, to, each, &all);
  });
  all.wait();
}

}  // namespace

/// Fair: `request` and `then`, as the manual has it. `await`, statically typed actors, a
/// stateful_actor as the client and a class as the server were measured too: the same CPU time
/// within the noise, a tenth. A handler for errors is not needed where no time limit is.
figures ping_pong(caf::actor_system& system, std::uint64_t size) {
  auto start = real_clock::now();
  ask_from(system, 1, size);
  return rate("ping_pong", "requests/s", size, start);
}

/// Fair: as ping_pong, with the scheduler's policy that does it faster (1.4 x).
figures coordinator(caf::actor_system& system, std::uint64_t size) {
  constexpr std::uint64_t clients = 8;
  std::uint64_t each = std::max<std::uint64_t>(size / clients, 1);
  auto start = real_clock::now();
  ask_from(system, clients, each);
  return rate("coordinator", "requests/s", each * clients, start);
}

namespace {

constexpr std::size_t ring_actors = 1'000;
constexpr std::uint64_t tokens = 100;

behavior pass_on(event_based_actor* self, std::latch* home) {
  return {[=](const actor& next) {
    self->become([=](std::uint64_t hops_left) {
      hops_left > 0 ? self->anon_send(next, hops_left - 1) : home->count_down();
    });
    return true;
  }};
}

}  // namespace

/// Fair: a behavior that holds its neighbour, and messages without a sender, as nobody answers.
/// Building and tearing down the ring is not timed.
figures ring(caf::actor_system& system, std::uint64_t size) {
  std::uint64_t hops_each = std::max<std::uint64_t>(size / tokens, 1);
  std::latch home{tokens};
  std::vector<actor> all;
  for (std::size_t i = 0; i < ring_actors; ++i) all.push_back(system.spawn(pass_on, &home));
  caf::scoped_actor outside{system};
  for (std::size_t i = 0; i < ring_actors; ++i) {
    outside->request(all[i], caf::infinite, all[(i + 1) % ring_actors])
        .receive([](bool) {}, [](const caf::error&) { check(false, "ring: not linked"); });
  }
  auto start = real_clock::now();
  for (std::size_t i = 0; i < tokens; ++i) {
    // The token's way in is its first hop.
    caf::anon_send(all[i * ring_actors / tokens], hops_each - 1);
  }
  home.wait();
  figures told = rate("ring", "hops/s", hops_each * tokens, start);
  // A ring of handles holds itself alive.
  for (const actor& each : all) caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
  return told;
}

}  // namespace bench
