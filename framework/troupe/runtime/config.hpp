#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <troupe/pal/clock.hpp>

namespace troupe {

/// Longer budgets for a graceful stop count as this one.
inline constexpr std::chrono::hours max_shutdown_budget{24 * 365};

/// What a runtime is built with. The defaults suit a service; a test sets `workers`, `clock`,
/// `seed`.
struct runtime_config {
  /// Threads that run tasks; 0 takes TROUPE_WORKERS from the environment, else one per core.
  std::size_t workers = 0;
  /// Where time comes from; must outlive the runtime. See pal::virtual_clock.
  pal::clock* clock = &pal::real_clock();
  /// Chooses the next task at random by this seed, always the same way; for one worker only.
  std::optional<std::uint64_t> seed;
  /// Threads for spawn_blocking, at most.
  std::size_t max_blocking_threads = 512;
  /// How long requests may take that name no limit, and inherit none.
  std::chrono::nanoseconds deadline = std::chrono::seconds{5};
  /// How long a graceful stop may take.
  std::chrono::nanoseconds shutdown_budget = std::chrono::seconds{5};
  /// Whether run() stops gracefully on SIGINT and SIGTERM. A runtime object never touches signals.
  bool handle_signals = true;
  /// Workers are named troupe-0, troupe-1, ...
  std::string thread_name = "troupe";
  /// False leaves the network out: idle workers then wait in a futex, and sockets are a misuse.
  bool network = true;
};

/// Checks `config` and fills in what is left to the environment.
/// Errors: std::invalid_argument, whose text names the setting and what it may be.
[[nodiscard]] runtime_config resolve(runtime_config config);

}  // namespace troupe
