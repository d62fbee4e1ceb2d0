#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/actor/ref.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/pal/random.hpp>
#include <troupe/runtime/config.hpp>
#include <troupe/sim/errors.hpp>
#include <troupe/sim/network.hpp>
#include <troupe/sim/node.hpp>

namespace troupe::inline v0_1::sim {

namespace detail {
class agenda;
class allocation_faults;
class history;
}  // namespace detail

/// What a world is made with.
struct world_config {
  std::uint64_t seed = 1;
  /// Whether trace() has text: a line for each step.
  bool keeps_trace = false;
  /// How long a turn takes, at most: the seed chooses. Zero: time stands still while anything is
  /// ready, and timers fire at the moment they were set for.
  duration max_turn_time = duration::zero();
  /// Steps that may be taken without any time passing; more are a violation: a program that turns
  /// round and round.
  std::uint64_t max_steps_at_once = 1'000'000;
};

/// A world in which a program's real code runs under one seed, with time and machines of its own:
/// what a test does in it happens in the same order each time, and hours take milliseconds.
///
/// Everything runs on the thread that calls advance() and its like, one turn of one node at a time.
/// The seed decides whose turn is next, on which node and within it.
///
/// Threads: one at a time; the same one for all of its life. Several worlds may exist, none may be
/// used within another's turn.
/// Bounds:  the order of walks and maps by address is the seed's up to about 10 000 tasks, and as
///          many actors, at a time.
/// Example:
///     sim::world world{42};
///     sim::node& server = world.add_node("server");
///     server.start(main_task);
///     world.advance(5s);
class world {
public:
  explicit world(std::uint64_t seed) : world{world_config{.seed = seed}} {}
  explicit world(world_config config);
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  /// Adds a machine, which is up. Of `config` counts what does not say how the runtime runs: not
  /// workers, clock, seed, network.
  node& add_node(std::string name, runtime_config config = {});
  /// Adds a program of its own on the machine `where`, which has one already: they share addresses,
  /// ports and paths, and reach each other at 127.0.0.1.
  node& add_node(std::string name, const host& where, runtime_config config = {});

  /// What lies between the nodes, and what can go wrong there.
  [[nodiscard]] sim::network& network() noexcept { return network_; }

  /// Returns: the time since the world began.
  [[nodiscard]] duration now() const noexcept;

  /// Runs all that happens in the next `length`, what is due at its very end included.
  /// Errors: violation.
  void advance(duration length);
  /// Runs until nothing can happen any more: what is left waits for one another. Errors: violation.
  /// Requires: that comes about; with an interval that ticks for ever it does not.
  void run();
  /// Runs until `condition()` holds, which is looked at after each step.
  /// Returns: false when it does not hold after `limit`, when the world's time has come to that.
  [[nodiscard]] bool run_until(const std::function<bool()>& condition, duration limit);
  /// Runs one turn, or one thing that happens outside of the nodes; time moves on to it. Returns:
  /// false when nothing can happen any more. Errors: violation.
  bool step();

  /// Has `act` called at that time, between two turns. It must not throw.
  void after(duration delay, std::function<void()> act);

  // --- faults; see also node::kill() ---

  /// Has an actor fail by injected_crash, as if a handler had thrown it, behind the mail that it
  /// has. Returns: false when it takes no mail any more. Requires: it lives in this world.
  template <class A>
  bool crash(const ref<A>& of) {
    return crash(of.block());
  }
  /// The same of some actor; test numbers choose. Returns: false when there is none.
  bool crash_one_actor();
  /// From now on refuses every `count`th block, about, that the framework asks for in turns: for
  /// messages, coroutines, states of actors. 0: none. The memory of the program itself is left
  /// alone. Bounds: on one thread there may be one world at a time that does this.
  void fail_allocations(std::uint64_t one_of) noexcept;
  /// Returns: how many blocks were refused.
  [[nodiscard]] std::uint64_t failed_allocations() const noexcept;

  /// Has `holds()` looked at after each step; where it is false, whoever runs the world gets a
  /// violation with that name.
  void invariant(std::string name, std::function<bool()> holds);

  [[nodiscard]] std::uint64_t seed() const noexcept { return config_.seed; }
  /// Numbers for the test: they come from the seed, and change nothing of the order of turns.
  [[nodiscard]] pal::random& random() noexcept { return numbers_; }

  /// Returns: how many steps there were.
  [[nodiscard]] std::uint64_t steps() const noexcept;
  /// Returns: a number made of all that has happened: when, on which node, whose turn, what
  ///          message. The same for the same seed and program, in each process.
  [[nodiscard]] std::uint64_t trace_hash() const noexcept;
  /// Returns: the same as lines; empty unless the configuration asks for them.
  [[nodiscard]] const std::vector<std::string>& trace() const noexcept;

private:
  friend class node;
  struct rule {
    std::string name;
    std::function<bool()> holds;
  };

  // Something that may have the next step; no node: the agenda.
  struct candidate {
    node* of;
    bool is_blocking_work;
  };

  bool crash(troupe::detail::actor_block& of);
  // Takes one step at this very time. Returns: false when nothing is ready.
  bool step_now();
  void run_agenda();
  void collect_ready();
  void settle_step();
  [[nodiscard]] std::optional<time_point> next_due() const noexcept;
  void move_to(time_point when);

  const world_config config_;
  std::unique_ptr<detail::agenda> agenda_;
  std::unique_ptr<detail::history> history_;
  std::unique_ptr<detail::allocation_faults> faults_;
  sim::network network_;
  pal::random order_;
  pal::random numbers_;
  pal::random node_seeds_;
  std::uint64_t steps_at_once_ = 0;
  std::vector<rule> rules_;
  std::vector<candidate> ready_;  // Of one step.
  std::vector<std::unique_ptr<node>> nodes_;
};

}  // namespace troupe::inline v0_1::sim
