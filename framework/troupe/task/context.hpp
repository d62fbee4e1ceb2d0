#pragma once

#include <cstdint>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/task/executor.hpp>

namespace troupe::inline v0_1::detail {

class actor_block;
class task_core;

/// A count that one thread writes and any thread reads: an increment without a locked operation.
class local_counter {
public:
  void increment() noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

private:
  pal::atomic<std::uint64_t> value_{0};
};

/// A value that one thread writes and reads, and any thread may look at, for what it is worth:
/// without a locked operation. What it points to was made before.
template <class T>
class shown {
public:
  constexpr explicit shown(T first) noexcept : value_{first} {}
  shown(const shown&) = delete;
  shown& operator=(const shown&) = delete;
  T operator=(T next) noexcept {
    value_.store(next, std::memory_order_release);  // -> seen
    return next;
  }
  /// For the thread that writes it.
  operator T() const noexcept { return value_.load(std::memory_order_relaxed); }
  /// For all others.
  [[nodiscard]] T seen() const noexcept {
    return value_.load(std::memory_order_acquire);  // <- operator=
  }
  T operator->() const noexcept { return *this; }

private:
  pal::atomic<T> value_;
};

/// What a worker thread knows about the job it is running; null pointer on every other thread.
/// The worker sets it per job, so nothing here outlives a turn except the counts.
/// Aligned for its address to be a mark; see message_queue.
struct alignas(16) context {
  executor* exec = nullptr;
  shown<task_core*> current{nullptr};   ///< The task whose turn it is; null for other jobs.
  shown<actor_block*> actor{nullptr};   ///< The actor whose turn it is; null for other jobs.
  shown<const char*> handles{nullptr};  ///< The message it has begun last, in a turn of an actor.
  task_core* finished = nullptr;        ///< Set by a root coroutine that has reached its end.
  job* after_turn = nullptr;            ///< To be queued when this task's turn is over.

  std::uint32_t full_budget = 128;     ///< Operations a turn may finish without waiting.
  std::uint32_t budget = full_budget;  ///< Those that are left of this turn.
  time_point turn_began{};             ///< Read lazily, at the first check of a long turn.
  std::uint64_t ticks_at_look = 0;     ///< Of the processor, when that clock was read last.
  shown<bool> in_turn{false};          ///< False while the worker itself polls or looks for work.
  /// A turn of another job may run within this one: not within such a turn, nor where a seed
  /// decides the order of turns.
  bool takes_turns_in = true;
  bool counts_ticks = false;  ///< Its runtime has the real clock, and the processor a count.
  /// The kept actor that the worker is in, or about to look into; see actor_block.
  pal::atomic<actor_block*> visits{nullptr};
  /// One that somebody has woken meanwhile: its turn is to be queued when the worker has left it.
  pal::atomic<actor_block*> left_over{nullptr};
  /// Set by an enlist(): its wait shall not sleep but go behind all that is ready.
  bool gives_way = false;
  bool constructs = false;  ///< The constructor of an actor runs: it is in no actor's turn yet.
  std::uint32_t inner_turns = 0;  ///< That were given to actors which are not kept.
  std::uint32_t rotation = 0;     ///< Of the branches of races: see next_rotation().
  /// Messages that an actor handles before it gives way.
  static constexpr std::uint32_t most_mail_per_turn = 64;
  std::uint32_t mail_per_turn = most_mail_per_turn;

  local_counter spawned;   ///< Tasks started by this thread.
  local_counter ended;     ///< Tasks ended on this thread.
  local_counter io_waits;  ///< Waits for I/O begun here ...
  local_counter io_wakes;  ///< ... and ended here; only the sums over all workers mean something.

  void begin_turn(task_core* task) noexcept {
    current = task;
    budget = full_budget;
    turn_began = time_point{};
  }
};

/// How many operations there are between two looks at the clock.
inline constexpr std::uint32_t clock_interval = 16;

/// While it lives, an actor has its turn, of one plain handler, within the present one. Such a
/// handler awaits nothing: it takes nothing from the budget, and queues nothing for the turn's end.
class inner_turn {
public:
  /// What it leaves of the outer turn's budget, which the operation that began it takes one of,
  /// too: many short ones would else make one that looks long. Every 16th is left for that
  /// operation, which looks at the clock then.
  static constexpr std::uint32_t left_of(std::uint32_t budget) noexcept {
    return budget <= 1 || (budget - 1) % clock_interval == 0 ? budget : budget - 1;
  }

  inner_turn(context& here, actor_block& actor) noexcept
      : here_{here}, current_{here.current}, actor_{here.actor} {
    here.budget = left_of(here.budget);
    here.current = nullptr;
    here.actor = &actor;
    here.takes_turns_in = false;
  }
  inner_turn(const inner_turn&) = delete;
  inner_turn& operator=(const inner_turn&) = delete;
  ~inner_turn() {
    here_.current = current_;
    here_.actor = actor_;
    here_.takes_turns_in = true;
  }

private:
  context& here_;
  task_core* current_;
  actor_block* actor_;
};

// One per thread of the process, also where the library is shared and its users hide their symbols.
[[gnu::visibility("default")]] inline constinit thread_local context* current_context_pointer =
    nullptr;

inline context* current_context() noexcept { return current_context_pointer; }

/// Returns: true when the turn has taken about 1 ms since this was asked in it first. While the
/// processor has hardly counted anything since, the clock is not read: that is three times as dear.
[[gnu::noinline]] inline bool is_long_turn(context& here) noexcept {
  constexpr std::uint64_t few_ticks = 100'000;  // A tenth of a millisecond at most.
  bool is_first = here.turn_began == time_point{};
  std::uint64_t ticks = here.counts_ticks ? pal::ticks() : 0;
  if (here.counts_ticks && !is_first && ticks - here.ticks_at_look < few_ticks) return false;
  here.ticks_at_look = ticks;
  time_point now = here.exec->clock().now();
  if (is_first) here.turn_began = now;
  return now - here.turn_began >= std::chrono::milliseconds{1};
}

/// Takes one operation from the turn's budget. Returns false when the task must give way: after
/// as many operations (128), or about 1 ms of them. Every 16th looks whether it is that long.
inline bool consume_budget() noexcept {
  context* here = current_context();
  if (here == nullptr || --here->budget == 0) return here == nullptr;
  return here->budget % clock_interval != 0 || !is_long_turn(*here);
}

}  // namespace troupe::inline v0_1::detail
