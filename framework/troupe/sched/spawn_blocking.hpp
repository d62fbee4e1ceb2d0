#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include <troupe/sched/blocking_pool.hpp>
#include <troupe/sched/scheduler.hpp>
#include <troupe/task/task.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// A piece of blocking work and the place of its result; shared by the handle and the pool, so that
/// either may go first.
///
///   state_   0: running, nobody waits    waker: a task waits    done: ended
template <class T>
class blocking_state {
public:
  [[nodiscard]] bool done() const noexcept {
    return state_.load(std::memory_order_acquire) == ended;  // <- finish
  }
  [[nodiscard]] bool enlist(waker key) noexcept {
    std::uint64_t running = 0;
    return state_.compare_exchange_strong(running, key.bits(),
                                          std::memory_order_release,  // -> finish
                                          std::memory_order_acquire);
  }
  void delist() noexcept {
    std::uint64_t seen = state_.load(std::memory_order_relaxed);
    if (seen != 0 && seen != ended) {
      state_.compare_exchange_strong(seen, 0, std::memory_order_relaxed);
    }
  }

  template <class F>
  void run(std::optional<F>& work) noexcept {
    try {
      if constexpr (std::is_void_v<T>) {
        (*work)();
      } else {
        result_.set_value((*work)());
      }
    } catch (...) {
      result_.set_error(std::current_exception());
    }
    work.reset();  // What it refers to may be gone as soon as the waiting task goes on.
    // <-> done, enlist
    std::uint64_t seen = state_.exchange(ended, std::memory_order_acq_rel);
    waker::from_bits(seen).wake();
  }

  T take() { return result_.take(); }

private:
  static constexpr std::uint64_t ended = 1;

  pal::atomic<std::uint64_t> state_{0};
  outcome<T> result_;
};

}  // namespace detail

/// The right to the result of blocking work: awaited once, for its value or exception.
/// Cancel: the work is let go of at once and goes on alone; it cannot be interrupted.
template <class T>
class [[nodiscard]] blocking_handle {
public:
  static constexpr const char* name = "blocking work";

  explicit blocking_handle(std::shared_ptr<detail::blocking_state<T>> state) noexcept
      : state_{std::move(state)} {}

  bool poll() noexcept { return state_->done(); }
  bool enlist(waker key) noexcept { return state_->enlist(key); }
  void delist() noexcept { state_->delist(); }
  T take() { return state_->take(); }

private:
  std::shared_ptr<detail::blocking_state<T>> state_;
};

/// Runs `work()` on a thread of the blocking pool and returns at once; await the handle for the
/// result. For calls that block: files, name lookup, foreign libraries.
///
/// A stop that it outlasts lists it with the place of this call.
///
/// Errors:  std::system_error when no thread can be made. Outside a runtime: a misuse.
/// Bounds:  at most 512 threads (scheduler_config::max_blocking_threads); more work waits.
/// Example: `std::string text = co_await spawn_blocking([] { return read_file("a.txt"); });`
template <class F>
auto spawn_blocking(F work, std::source_location where = std::source_location::current()) {
  using value_type = std::invoke_result_t<F&>;
  scheduler* here = scheduler::current();
  if (here == nullptr) {
    misuse("spawn_blocking() was called outside a runtime: call it from a task [S04]", where);
  }
  auto state = std::make_shared<detail::blocking_state<value_type>>();
  // Shared, since std::function wants a copy.
  auto shared_work = std::make_shared<std::optional<F>>(std::move(work));
  here->blocking().submit([state, shared_work] { state->run(*shared_work); }, where);
  return blocking_handle<value_type>{std::move(state)};
}

}  // namespace troupe::inline v0_1
