#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <troupe/pal/clock.hpp>
#include <troupe/sched/driver.hpp>

namespace troupe::inline v0_1 {

class simulation;

/// Longer budgets for a graceful stop count as this one.
inline constexpr std::chrono::hours max_shutdown_budget{24 * 365};

/// What a runtime is built with. The defaults suit a service; a test sets `workers`, `clock`,
/// `seed`.
///
/// Where a variable of the environment is named, it counts for a setting that the program has left
/// at its default; what the program has chosen stays. Durations are a number and ns, us, ms, s, min
/// or h, as in `250ms`; switches are on, off, true, false, 1 or 0.
struct runtime_config {
  /// Threads that run tasks; 0: one per core. TROUPE_WORKERS.
  std::size_t workers = 0;
  /// No thread of its own runs tasks: runtime::poll() does, on the thread that calls it. Not for
  /// run().
  bool caller_driven = false;
  /// Each worker stays on one core. TROUPE_PIN_WORKERS.
  bool pin_workers = false;
  /// Where time comes from; must outlive the runtime. See pal::virtual_clock.
  pal::clock* clock = &pal::real_clock();
  /// Chooses the next task at random by this seed, always the same way; for one worker only.
  std::optional<std::uint64_t> seed;
  /// Operations that a task may do without waiting before it gives way. TROUPE_BUDGET.
  std::uint32_t budget = 128;
  /// Messages in the mailbox of an actor that names no capacity. TROUPE_MAILBOX_CAPACITY.
  std::uint16_t mailbox_capacity = 1024;
  /// Threads for spawn_blocking, at most. TROUPE_MAX_BLOCKING_THREADS.
  std::size_t max_blocking_threads = 512;
  /// How long requests may take that name no limit, and inherit none. TROUPE_DEADLINE.
  std::chrono::nanoseconds deadline = std::chrono::seconds{5};
  /// How long a graceful stop may take. TROUPE_SHUTDOWN_BUDGET.
  std::chrono::nanoseconds shutdown_budget = std::chrono::seconds{5};
  /// A turn that holds its worker for longer is reported as a stall, by its actor, handler and
  /// source line; zero: none is. Never under a virtual clock. TROUPE_STALL_THRESHOLD.
  std::chrono::nanoseconds stall_threshold = std::chrono::milliseconds{100};
  /// Whether run() stops gracefully on SIGINT and SIGTERM, writes dump() to the log on SIGUSR1, and
  /// asks a stalled thread where it is by SIGURG. A runtime object never touches signals.
  bool handle_signals = true;
  /// Workers are named troupe-0, troupe-1, ...
  std::string thread_name = "troupe";
  /// Called on each worker's thread, with its index, before its first turn and after its last.
  /// Must not throw.
  std::function<void(std::size_t)> on_thread_start{}, on_thread_stop{};
  /// False leaves the network out: idle workers then wait in a futex, and sockets are a misuse.
  bool network = true;
  /// Makes what idle workers wait in, in place of the network; see io::simulated_network. What a
  /// simulated world sets, like `simulated`, the world itself.
  std::function<std::unique_ptr<driver>()> make_driver{};
  simulation* simulated = nullptr;
};

/// Checks `config` and fills in what is left to the environment.
/// Errors: std::invalid_argument, whose text names the setting and what it may be.
[[nodiscard]] runtime_config resolve(runtime_config config);

}  // namespace troupe::inline v0_1
