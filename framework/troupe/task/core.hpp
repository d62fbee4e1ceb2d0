#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <source_location>
#include <utility>

#include <troupe/base/assert.hpp>
#include <troupe/base/cache_line.hpp>
#include <troupe/base/intrusive_list.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/task/context.hpp>
#include <troupe/task/executor.hpp>
#include <troupe/task/origin.hpp>
#include <troupe/task/waker.hpp>

namespace troupe::inline v0_1::detail {

class actor_block;
struct envelope;
template <class Cell>
class slab;

/// What a suspended task waits in: asked, on the task's own turn, whether to go on.
class pending_wait {
public:
  /// Returns: true to resume the coroutine; false when the task waits again and must not be
  /// touched any more.
  virtual bool on_wake() noexcept = 0;

protected:
  ~pending_wait() = default;
};

/// The place of a task in its owner's list.
struct sibling_link : list_link {
  [[nodiscard]] task_core& task() noexcept;
};

/// Told about the life of the tasks that belong to it.
class task_owner {
public:
  /// Called before `task` can run, by the thread that starts it.
  virtual void on_child_start(task_core& task) noexcept = 0;

  /// Called on the worker that ran `task` to its end; takes over its only reference.
  virtual void on_child_end(task_core& task) noexcept = 0;

  /// Returns: the actor that the task works for; null when it works for none.
  [[nodiscard]] virtual actor_block* actor() const noexcept { return nullptr; }

  /// Returns: the message that the task handles; null when it handles none.
  [[nodiscard]] virtual envelope* message() const noexcept { return nullptr; }

  /// Queues a task whose turns the owner gives: one that was route_by_owner(). Threads: any.
  virtual void route(task_core& ready) noexcept;

  /// Returns: the owner by whom the children of its task, whose turn it is, are to be routed; null
  /// when they may run at any time. Errors: std::bad_alloc.
  [[nodiscard]] virtual task_owner* turns_of_children() { return nullptr; }

protected:
  ~task_owner() = default;
};

/// One spawned task: its wake word, its job, its end, and the record of what it waits for.
///
/// The wake word. `epoch` counts the waits; a waker carries the epoch it was made in.
///
///   word_               means                               changed by
///   {e, running}        queued or on a worker               wake(e) -> notified; commit -> waiting
///   {e, notified}       woken before it had suspended       commit -> {e+1, running}
///   {e, waiting}        suspended                           wake(e), stop -> {e+1, running}
///   {e, shielded}       suspended, deaf to stop requests    wake(e) -> {e+1, running}
///   bit `stop`          a stop request has come             request_stop(); stays until the end
///   bit `retired`       it gets no turn any more            retire(); stays until the end
///   bit `routed`        its turns are given by its owner    route_by_owner(); until the end
///   bit `chosen`        it is to be asked to stop           stop_all_of(); until the end
///
///   R1. Only the task's own turn calls commit_wait(), current_waker() and reads the epoch.
///   R2. Who takes the word from waiting to {e+1, running} schedules the task; all others lose.
///   R3. A waker with another epoch changes nothing. Wakers carry 16 bits of it: one that is
///       65 536 waits late may wake in vain, which every wait takes as "look again".
///   R4. Cells are type-stable: a waker may outlive its task and then meets R3.
///   R5. After commit_wait() has returned `suspended` nothing of the task may be touched.
///   R6. A waker is handed on in order: who gets it must not see an earlier epoch.
///
/// The join word.
///
///   join_      means                             changed by
///   0          running, a handle exists          finish -> done; detach -> detached; join -> waker
///   waker      as 0, and a task waits for it     finish -> done, and wakes; leave -> 0
///   detached   running, nobody will ask          finish: the cell is freed
///   done       ended; the handle frees the cell  -
///
/// The cell is freed by whoever comes second of finish(), or abandon(), and the handle.
class alignas(cache_line_bytes) task_core final : public job {
public:
  enum class wait_outcome { suspended, notified, stopped };
  using destroy_function = void (*)(void*) noexcept;

  /// Takes a cell from the slab. Errors: std::bad_alloc.
  static task_core& create(executor& exec, task_origin origin);

  // --- the wake word ---

  /// A key with which anyone may wake the wait that comes next. R1.
  [[nodiscard]] waker current_waker() const noexcept {
    return waker{this, word_.load(std::memory_order_relaxed) >> epoch_shift};
  }

  /// Suspends, unless a wake or a stop request was faster. R1, R5.
  [[nodiscard]] wait_outcome commit_wait(bool is_shielded) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    for (;;) {
      if ((seen & notified) != 0) {
        // No other waker can change the word now: only stop, which adds its bit.
        word_.fetch_add(next_epoch - notified, std::memory_order_acquire);  // <- wake
        return wait_outcome::notified;
      }
      if ((seen & stop) != 0 && !is_shielded) return wait_outcome::stopped;
      std::uint64_t sleep = seen | (is_shielded ? shielded : waiting);
      if (word_.compare_exchange_weak(seen, sleep, std::memory_order_release,  // -> wake
                                      std::memory_order_relaxed)) {
        return wait_outcome::suspended;
      }
    }
  }

  /// Wakes the wait of `epoch`, if it is not over. Returns true when the caller must schedule(). R2
  [[nodiscard]] bool try_wake(std::uint16_t epoch) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    for (;;) {
      if (static_cast<std::uint16_t>(seen >> epoch_shift) != epoch) return false;
      if ((seen & notified) != 0) return false;
      bool sleeps = (seen & (waiting | shielded)) != 0;
      std::uint64_t woken = sleeps ? (seen & ~(waiting | shielded)) + next_epoch : seen | notified;
      if (word_.compare_exchange_weak(seen, woken, std::memory_order_acq_rel,  // <-> commit_wait
                                      std::memory_order_relaxed)) {
        return sleeps;
      }
    }
  }

  /// Wakes whatever the task waits for now, as a hint to look again. Threads: any; see R4.
  void nudge() noexcept;

  /// Asks the task to stop: its next wait, or the one it is in, throws `canceled`.
  void request_stop() noexcept;

  /// The same for a walker who holds no reference: does nothing if the cell is not, or no more,
  /// that of a task of `exec`.
  void request_stop_on(const executor& exec) noexcept;

  /// Asks all tasks of `exec` that there are now, and none that these begin since they are asked,
  /// such as clean-up in a shield. Threads: any.
  static void stop_all_of(const executor& exec) noexcept;

  /// Returns: whether it was asked to; then what was done before that is seen.
  [[nodiscard]] bool stop_requested() const noexcept {
    return (word_.load(std::memory_order_acquire) & stop) != 0;  // <- try_stop
  }

  /// Queues the woken task.
  void schedule() noexcept {
    if (is_routed()) return owner_->route(*this);
    exec().schedule(*this);
  }
  /// Queues it behind all that is ready.
  void schedule_back() noexcept {
    if (is_routed()) return owner_->route(*this);
    exec().schedule_back(*this);
  }

  /// From its next turn on, its owner gives it its turns. R1, or before it has started.
  void route_by_owner() noexcept { word_.fetch_or(routed, std::memory_order_relaxed); }
  [[nodiscard]] bool is_routed() const noexcept {
    return (word_.load(std::memory_order_relaxed) & routed) != 0;
  }

  /// The task of a job that was taken back from a queue; null when the job is none.
  [[nodiscard]] static task_core* of(job& queued) noexcept {
    return queued.run == &run_turn ? static_cast<task_core*>(&queued) : nullptr;
  }

  /// Marks a task that was taken back from a queue as one that nobody will schedule.
  void retire() noexcept { word_.fetch_or(retired, std::memory_order_relaxed); }

  /// The same for a suspended task: wakers miss it from here on. Returns: false when it is neither
  /// retired nor suspended; then it is queued, or a thread that has woken it is about to do that.
  /// Requires: its workers have stopped.
  [[nodiscard]] bool retire_suspended() noexcept;

  // --- running ---

  /// Sets what a resumed turn continues with; `wait` is asked first when there is one.
  void suspend_at(std::coroutine_handle<> handle, pending_wait* wait) noexcept {
    resume_ = handle;
    pending_ = wait;
  }

  /// Starts a task whose coroutine is `body`; `owner` may be null.
  void start(std::coroutine_handle<> body, task_owner* owner) noexcept;

  /// What its life has next: to begin, then to settle, then nothing.
  using step_function = void (*)(task_core&) noexcept;

  /// Starts a task that has no coroutine yet. `begin` runs on its first turn: it gives it one by
  /// take_body() and settle_with(), or leaves the outcome in the cell. A burst of tasks then queues
  /// cells alone, and each frame comes from, and goes to, the warm end of its worker's memory.
  void start_later(step_function begin, task_owner* owner) noexcept;

  /// The same at once, inside the turn of a job that is no task; to be taken for a turn of its own.
  void start_here(std::coroutine_handle<> body, task_owner& owner) noexcept;

  /// Returns: the message that it handles, null for none.
  [[nodiscard]] envelope* message() const noexcept {
    return owner_ == nullptr ? nullptr : owner_->message();
  }

  /// Returns: the actor that it works for, null for none.
  [[nodiscard]] actor_block* actor() const noexcept {
    return owner_ == nullptr ? nullptr : owner_->actor();
  }

  [[nodiscard]] executor& exec() const noexcept { return *exec_.load(std::memory_order_relaxed); }
  /// Returns: true when its task has ended, and the cell has no new one yet.
  [[nodiscard]] bool is_free() const noexcept;
  /// Returns: who is told of its end; null for none.
  [[nodiscard]] task_owner* owner() const noexcept { return owner_; }
  [[nodiscard]] std::coroutine_handle<> body() const noexcept { return body_; }

  // --- the end ---

  [[nodiscard]] bool done() const noexcept {
    return join_.load(std::memory_order_acquire) == joined_done;  // <- finish
  }

  /// Asks for `who` to be woken at the end. False: it has ended already.
  [[nodiscard]] bool join(waker who) noexcept;

  /// Takes the wish of join() back.
  void leave() noexcept;

  /// The handle's last act: the task goes on alone, or its cell is freed if it has ended.
  void detach() noexcept;

  /// Destroys the task and frees its cell. Requires: it has ended and belongs to the caller, was
  /// never started, or is suspended on a runtime whose workers have stopped.
  void destroy() noexcept;

  /// Ends a task that gets no turn any more: destroys the coroutine, and whoever awaits the task
  /// gets `canceled`. Requires: it has not ended, and its workers have stopped.
  void abandon() noexcept;

  /// The end, for its handle: wakes who awaits it, or frees the cell. Of a task with an owner, in
  /// on_child_end().
  void tell_handle() noexcept;

  /// Destroys the coroutine and the callable; what they owned is free from here on.
  void destroy_body() noexcept {
    if (body_) std::exchange(body_, nullptr).destroy();
    clear_storage();
  }

  /// `f` moves the outcome out of the coroutine's promise into this cell and calls destroy_body():
  /// a task that has ended holds nothing but its value. Set before its coroutine runs.
  void settle_with(step_function f) noexcept { step_ = f; }

  /// The coroutine of a task that begins. For start_later().
  void take_body(std::coroutine_handle<> body) noexcept {
    body_ = body;
    suspend_at(body, nullptr);
  }

  /// Returns: whether its coroutine is through. Requires: its workers have stopped.
  [[nodiscard]] bool has_ended() const noexcept { return step_ == nullptr; }

  void keep_error(std::exception_ptr error) noexcept { error_ = std::move(error); }

  /// Returns: the exception that ended the task, `canceled` too; null when it was taken.
  [[nodiscard]] const std::exception_ptr& any_exception() const noexcept { return error_; }
  [[nodiscard]] std::exception_ptr take_exception() noexcept {
    return std::exchange(error_, nullptr);
  }

  /// Returns: the exception that ended the task, unless it was taken or was `canceled`.
  [[nodiscard]] std::exception_ptr exception() const noexcept;

  // --- the callable that spawn() owns, and after the end the value ---

  static constexpr std::size_t storage_bytes = 32;
  [[nodiscard]] void* storage() noexcept { return storage_; }
  void own_storage(destroy_function f) noexcept { destroy_storage_ = f; }
  void clear_storage() noexcept {
    if (destroy_storage_ != nullptr) std::exchange(destroy_storage_, nullptr)(storage_);
  }

  // --- the wait record: written by the task's own turn, read by anyone who walks the slab ---

  void record_wait(const char* what, std::source_location where) noexcept {
    is_far_used_ = true;
    what_.store(what, std::memory_order_relaxed);
    where_.store(where, std::memory_order_relaxed);
  }
  /// When a sweep shall nudge the wait that comes: the earliest of those that are set. R1
  void set_alarm(std::uint32_t sweep) noexcept {
    std::uint32_t there = alarm_.load(std::memory_order_relaxed);
    bool is_first = there == 0 || static_cast<std::int32_t>(sweep - there) < 0;
    if (is_first) alarm_.store(sweep == 0 ? 1 : sweep, std::memory_order_relaxed);
  }
  void clear_alarm() noexcept { alarm_.store(0, std::memory_order_relaxed); }
  /// Nudges every task of `exec` whose alarm is not after `sweep`. Returns: whether any has one.
  static bool ring_alarms(const executor& exec, std::uint32_t sweep) noexcept;

  /// The actor without which the task, the handler of another one, cannot go on. R1; read by any.
  void wait_for(actor_block* other) noexcept {
    is_far_used_ = true;
    awaited_.store(other, std::memory_order_release);  // -> awaited
  }
  /// The same for the wait of `key` alone, if it is still for `other`. Threads: any; a hint.
  void wait_no_more_for(actor_block* other, waker key) noexcept {
    std::uint64_t epoch = word_.load(std::memory_order_relaxed) >> epoch_shift;
    if (waker{this, epoch} != key) return;
    awaited_.compare_exchange_strong(other, nullptr, std::memory_order_relaxed);
  }
  [[nodiscard]] actor_block* awaited() const noexcept {
    return awaited_.load(std::memory_order_acquire);  // <- wait_for
  }
  /// Returns: a number that is another one for each wait; 0 while the task does not wait.
  [[nodiscard]] std::uint64_t present_wait() const noexcept {
    std::uint64_t seen = word_.load(std::memory_order_acquire);  // <- commit_wait
    return (seen & (waiting | shielded)) != 0 ? (seen >> epoch_shift) + 1 : 0;
  }

  [[nodiscard]] std::source_location spawned_at() const noexcept {
    return origin_.load(std::memory_order_relaxed).spawned_at();
  }

  /// Says for which actor it works. To be called before it runs.
  void works_for(actor_block* of) noexcept {
    is_far_used_ = true;
    works_for_.store(of, std::memory_order_release);  // -> look
  }
  /// For the same as another task, one that is alive.
  void works_as(const task_core& other) noexcept {
    works_for(other.works_for_.load(std::memory_order_relaxed));
  }

  struct record {
    const char* what;  ///< Null while the task has never waited.
    std::source_location where, spawned_at;
    bool suspended;
    actor_block* works_for;  ///< Null for none.
    const char* handles;     ///< The name of the message's type; null when it handles none.
    actor_block* awaited;    ///< Null for none.
  };

  /// Returns: what can be seen of the task. Threads: any; it may be torn, never invalid.
  [[nodiscard]] record look() const noexcept;

  /// Calls `visit(task_core&, const record&)` for every live task of `exec`, oldest cell first.
  /// Threads: any; a record is a snapshot that may be torn, never invalid.
  template <class Visit>
  static void for_each_live(const executor& exec, Visit visit);

private:
  friend class slab<task_core>;
  template <class>
  friend struct debug_access;

  static constexpr std::uint64_t waiting = 1, shielded = 2, notified = 4, stop = 8, retired = 16,
                                 routed = 32, chosen = 64;
  static constexpr unsigned epoch_shift = 8;
  static constexpr std::uint64_t next_epoch = std::uint64_t{1} << epoch_shift;
  static constexpr std::uint64_t joined_done = 1, joined_detached = 2;

  task_core() noexcept : job{&run_turn} { TROUPE_ASSERT(&sibling.task() == this); }

  static void run_turn(job& self) noexcept;
  void give_owner(task_owner* owner) noexcept;
  void queue_first_turn() noexcept;
  [[nodiscard]] bool try_stop(std::uint64_t seen) noexcept;
  void finish() noexcept;
  void release() noexcept;
  static void visit_live(const executor& exec, void (*visit)(void*, task_core&, const record&),
                         void* argument);

  // First line, behind the job: what a turn, a wake and a join touch.
  pal::atomic<std::uint64_t> word_{0};
  std::coroutine_handle<> resume_;
  pending_wait* pending_ = nullptr;
  pal::atomic<executor*> exec_{nullptr};  // Null while the cell is free.
  pal::atomic<std::uint64_t> join_{0};
  std::coroutine_handle<> body_;

  // Second line: what birth and death touch, with a small callable.
  task_owner* owner_ = nullptr;
  step_function step_ = nullptr;
  destroy_function destroy_storage_ = nullptr;
  std::exception_ptr error_;
  pal::atomic<task_origin> origin_{};
  pal::atomic<std::uint32_t> alarm_{0};  // 0: none.
  bool is_far_used_ = false;  // The third line is not as it was made; of the task's turn.
  alignas(8) std::byte storage_[storage_bytes];

  // Third line: what only waiting tasks, those of a scope and those of actors touch.
  pal::atomic<const char*> what_{nullptr};
  pal::atomic<std::source_location> where_{};
  pal::atomic<actor_block*> awaited_{nullptr};
  pal::atomic<actor_block*> works_for_{nullptr};

public:
  /// For the owner, who may list its children.
  sibling_link sibling;
};

// A model checker's atomics are larger.
static_assert(sizeof(pal::atomic<std::uint64_t>) != sizeof(std::uint64_t) ||
              sizeof(task_core) == 3 * cache_line_bytes);

template <class Visit>
void task_core::for_each_live(const executor& exec, Visit visit) {
  visit_live(
      exec,
      [](void* argument, task_core& task, const record& seen) {
        (*static_cast<Visit*>(argument))(task, seen);
      },
      &visit);
}

}  // namespace troupe::inline v0_1::detail
