#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <troupe/actor/ref.hpp>
#include <troupe/actor/undelivered.hpp>
#include <troupe/base/log.hpp>
#include <troupe/sim/world.hpp>
#include <troupe/task/failure.hpp>

namespace troupe::scenarios {

/// What a scenario throws on purpose.
class planned_crash : public std::runtime_error {
public:
  planned_crash() : std::runtime_error{"a crash that was planned"} {}
};

/// One world, its numbers, and what must hold in it. One at a time exists.
///
/// What a family keeps for it is made by keep(): it outlives the world, whose tasks refer to it.
class scene {
public:
  explicit scene(const sim::world_config& config);
  ~scene();
  scene(const scene&) = delete;
  scene& operator=(const scene&) = delete;

  /// The scene that exists.
  [[nodiscard]] static scene& current() noexcept;

  [[nodiscard]] sim::world& world() noexcept { return *world_; }
  sim::node& add_node(runtime_config config = {});

  template <class T, class... Args>
  T& keep(Args&&... args) {
    auto made = std::make_shared<T>(std::forward<Args>(args)...);
    kept_.push_back(made);
    return *made;
  }

  // --- choices of the seed ---

  /// Returns: a number in [0, bound).
  std::uint64_t below(std::uint64_t bound) { return world_->random().below(bound); }
  /// Returns: a number from `least` to `most`.
  std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return least + below(most - least + 1);
  }
  bool percent(std::uint64_t chance) { return below(100) < chance; }
  /// Returns: mostly some milliseconds, seldom nothing, or a second.
  duration some_time();

  /// Returns: false when turns take time: then nothing is said about lateness.
  [[nodiscard]] bool turns_take_no_time() const noexcept { return turns_take_no_time_; }
  [[nodiscard]] duration now() const noexcept { return world_->now(); }

  // --- what must hold ---

  template <class... Args>
  void check(bool holds, fmt::format_string<Args...> text, Args&&... args) {
    if (!holds && !failure_) fail(fmt::format(text, std::forward<Args>(args)...));
  }
  /// The first one counts.
  void fail(std::string text);
  [[nodiscard]] const std::optional<std::string>& failure() const noexcept { return failure_; }

  /// Kills a node at some time, or asks it to stop.
  void break_off(sim::node& node);

  /// Runs until the programs of all nodes have ended; that is to come about within `limit`.
  void run(duration limit);
  /// Ends the world: after this nothing that counts as alive may be left.
  void end_world();
  /// Takes over hash(), steps(), length() and trace() from the world, while it exists.
  void note_history();

  /// Ends an actor at some time, from outside of its runtime.
  template <class A>
  void plan_an_end(weak_ref<A> whom) {
    auto how = below(3);
    world_->after(some_time(), [this, whom, how] {
      auto found = whom.lock();
      if (!found) return;
      if (how == 0) found->kill();
      if (how == 1) found->stop();
      if (how == 2) (void)world_->crash(*found);
    });
  }

  // --- what lives ---

  void count_birth() noexcept { ++alive_; }
  void count_end() noexcept { --alive_; }
  /// Messages that were reported as undelivered, of a type with `letter` in its name.
  [[nodiscard]] std::size_t undelivered_letters() const noexcept { return undelivered_letters_; }
  /// Tasks may fail with errors of the system, and nobody awaits them.
  void expect_system_errors() noexcept { expects_system_errors_ = true; }

  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }
  [[nodiscard]] duration length() const noexcept { return length_; }
  [[nodiscard]] const std::vector<std::string>& trace() const noexcept { return trace_; }

private:
  void hear(const undelivered& lost);
  void hear(const troupe::failure& seen);
  void hear(log_level level, std::string_view text);

  std::vector<std::shared_ptr<void>> kept_;
  std::optional<sim::world> world_;
  std::vector<sim::node*> nodes_;
  const bool turns_take_no_time_;
  duration grain_{1};  // Where it is coarse, what is not to meet meets: a time-out and a wake.
  std::optional<std::string> failure_;
  std::string last_error_lines_;
  std::size_t alive_ = 0;
  std::size_t undelivered_letters_ = 0;
  bool expects_system_errors_ = false;
  std::uint64_t hash_ = 0;
  std::uint64_t steps_ = 0;
  duration length_{};
  std::vector<std::string> trace_;
  undelivered_sink outer_undelivered_;
  failure_sink outer_failure_;
  log_sink outer_log_;
};

/// Lies in what must not leak: frames, messages, actors.
class alive {
public:
  alive() noexcept { scene::current().count_birth(); }
  alive(const alive&) noexcept : alive{} {}
  alive& operator=(const alive&) = default;
  ~alive() { scene::current().count_end(); }
};

}  // namespace troupe::scenarios
