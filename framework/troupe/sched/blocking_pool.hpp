#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <source_location>
#include <vector>

#include <troupe/base/intrusive_list.hpp>
#include <troupe/pal/condition.hpp>
#include <troupe/pal/thread.hpp>

namespace troupe::inline v0_1 {

class scheduler;

/// Threads for work that blocks: they are made when needed, up to a limit, and end when idle for
/// ten seconds. Beyond the limit work waits in a queue; workers are never blocked by it.
/// No thread outlives its pool, nor does what it keeps (`thread_local`).
/// Threads: any.
class blocking_pool {
public:
  blocking_pool(scheduler& owner, std::size_t max_threads) noexcept
      : owner_{owner}, max_threads_{max_threads} {}

  /// Waits for the work that is running; what is queued is dropped.
  ~blocking_pool();

  /// Queues `work`, which must not throw. Until it has ended the runtime does not count as
  /// quiescent. Errors: std::system_error when no thread can be made and none exists.
  void submit(std::function<void()> work,
              std::source_location where = std::source_location::current());

  /// From now on has each thread of the pool call `act` after each piece of work: for state that
  /// libraries keep per thread. The last `act` given counts.
  void after_each(void (*act)() noexcept) noexcept;

  /// Returns: how many pieces of work are running or queued.
  [[nodiscard]] std::size_t pending() const noexcept;
  /// Returns: where each of them was submitted. Errors: std::bad_alloc.
  [[nodiscard]] std::vector<std::source_location> places() const;

private:
  struct piece : list_link {  // Owned by the list that it is in.
    std::function<void()> work;
    std::source_location where;
  };

  using thread_list = std::list<std::optional<pal::thread>>;  // Each has one, once it is in a list.

  void run_thread(thread_list::iterator self);
  void run_simulated(piece& chosen);
  void run(std::unique_ptr<piece> taken, pal::lock& guard);

  scheduler& owner_;
  const std::size_t max_threads_;
  mutable pal::mutex mutex_;
  pal::condition changed_;
  mutable intrusive_list<piece> queue_;
  std::size_t queued_ = 0;
  mutable intrusive_list<piece> running_now_;
  thread_list threads_;
  thread_list left_;  // At most one: it waits for the one that left before it, and so on.
  std::size_t idle_ = 0;
  std::size_t running_ = 0;
  bool stopping_ = false;
  void (*after_each_)() noexcept = []() noexcept {};
};

}  // namespace troupe::inline v0_1
