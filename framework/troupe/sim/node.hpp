#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <tuple>
#include <utility>

#include <troupe/runtime/run.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sim/host.hpp>
#include <troupe/task/start.hpp>

namespace troupe::inline v0_1::sim {

class world;

namespace detail {
class node_driver;
class process;
class program;
struct node_seam;
}  // namespace detail

/// One machine of a simulated world: a runtime that the world runs, turn by turn. Made by
/// world::add_node(); it lives as long as the world, through kills and restarts.
///
/// What its tasks, actors, timers and streams do is the program's real code. Its clock is the
/// world's, and its seed comes from there.
/// Threads: the world's alone.
class node {
public:
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Returns: its IP address, `10.0.0.1` for the first node of a world.
  [[nodiscard]] std::string address() const { return host_.address(); }
  /// Its machine in the network: `world.network().partition(server, client)`.
  [[nodiscard]] const sim::host& host() const noexcept { return host_; }
  operator const sim::host&() const noexcept { return host_; }
  [[nodiscard]] bool is_up() const noexcept { return runtime_ != nullptr; }

  /// Starts a task there; it has its first turn when the world moves on. See troupe::spawn.
  /// Requires: is_up(); else a misuse.
  template <class F>
  auto spawn(F&& f, std::source_location where = std::source_location::current()) {
    return rt().spawn(std::forward<F>(f), where);
  }
  template <class F, troupe::detail::not_a_location A, troupe::detail::not_a_location... Rest>
  auto spawn(F&& f, A&& a, Rest&&... rest) {
    return rt().spawn(std::forward<F>(f), std::forward<A>(a), std::forward<Rest>(rest)...);
  }

  /// Runs a task there, and the world until it has ended.
  /// Returns: what the task returns. Errors: what it throws; sim::stuck when nothing can happen any
  /// more before that, or a day has passed. Requires: as spawn().
  template <class F, class... Args>
  auto block_on(F&& f, Args&&... args) {
    using value_type = troupe::detail::spawned_value<F, Args...>;
    struct last_step {
      troupe::detail::task_core* core;
      ~last_step() { core->detach(); }
    } last{&troupe::detail::start_on(rt().scheduler(), nullptr, std::source_location::current(),
                                     std::forward<F>(f), std::forward<Args>(args)...)};
    run_until_done(*last.core);
    return troupe::detail::take_outcome<value_type>(*last.core);
  }

  /// Starts a program there, as troupe::run(main, args...) would; a node that is down comes up.
  /// `main` and its arguments are kept, and copied for each start.
  /// Requires: none runs there.
  template <class F, class... Args>
  void start(F main, Args... args) {
    auto call = [main = std::move(main), arguments = std::tuple{std::move(args)...}]() mutable {
      return std::apply([&](auto... each) { return std::invoke(main, std::move(each)...); },
                        arguments);
    };
    start_program([call]() mutable { return troupe::detail::main_task_of(call); });
  }
  /// Starts the program that was started last once more. Requires: there is one; none runs.
  void restart();
  /// Returns: what the program has ended with, after which the node is down; none while it runs,
  ///          and after a kill.
  [[nodiscard]] std::optional<int> exit_code() const noexcept { return exit_code_; }

  /// Asks the program to stop, as SIGTERM does. Requires: one runs there.
  void terminate();
  /// Ends the node as SIGKILL ends a process: no task gets another turn, what is suspended is
  /// destroyed. Called by a task of a node, it comes after that turn. Harmless when it is down.
  void kill();

  /// Ends it as a power cut does: nobody tells its peers. The next start gives its machine power
  /// again. Called by a task, it comes after that turn. Requires: no other node on its machine is
  /// up.
  void cut_power();

  /// The runtime, for tasks(), actors(), dump(). Requires: is_up(); only the world runs it.
  [[nodiscard]] runtime& rt();

private:
  friend class world;

  node(world& of, const sim::host& where, std::size_t number, std::string name,
       runtime_config config);

  void boot();
  void shut() noexcept;
  void start_program(std::function<task<int>()> main);
  void run_until_done(const troupe::detail::task_core& core);
  // Whether poll() may have something to do at this moment.
  [[nodiscard]] bool is_ready() const noexcept;
  // Gives one turn. Returns: false when nothing was ready.
  bool poll();
  [[nodiscard]] bool has_blocking_work() const noexcept;
  void run_blocking_work();
  // Has one of its actors fail. Returns: false when there is none.
  bool crash_one();
  void look_up();
  [[nodiscard]] std::optional<time_point> next_due() const noexcept;

  world& world_;
  const std::size_t number_;
  const std::string name_;
  const sim::host& host_;
  const runtime_config config_;
  std::function<task<int>()> main_;
  std::optional<int> exit_code_;
  std::unique_ptr<detail::node_seam> seam_;
  std::shared_ptr<detail::process> process_;  // Owner of the runtime's sockets.
  detail::node_driver* driver_ = nullptr;     // The runtime's.
  std::unique_ptr<runtime> runtime_;          // Null while the node is down.
  std::unique_ptr<detail::program> program_;  // Null while none runs.
};

}  // namespace troupe::inline v0_1::sim
