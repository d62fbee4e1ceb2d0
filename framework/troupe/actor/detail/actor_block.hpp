#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <source_location>
#include <string>

#include <troupe/actor/detail/envelope.hpp>
#include <troupe/base/cache_line.hpp>
#include <troupe/sync/parking_lot.hpp>
#include <troupe/task/core.hpp>
#include <troupe/task/executor.hpp>
#include <troupe/task/slab.hpp>
#include <troupe/task/start.hpp>

namespace troupe::detail {

/// What only some actors have.
struct actor_extension {
  std::string name;
  std::exception_ptr error;  ///< What left a handler and ended the actor.
};

/// What an actor of one class can do; one table per class.
struct actor_table {
  void (*destroy)(actor_block&) noexcept;
  /// These make an envelope that runs on_start or on_stop; null where the class has none.
  envelope* (*start_event)();
  envelope* (*stop_event)();
  const char* class_name;
};

/// How an actor is set up, beside its class.
struct actor_limits {
  std::uint16_t capacity = 1024;
  bool is_unbounded = false;
  bool rejects = false;  ///< A send into a full mailbox fails at once instead of waiting.
};

/// One actor: its mailbox, its state, its life; two cache lines, and nothing else while it is idle.
///
/// Its job runs messages one after the other. A handler that is a coroutine gets a task cell for
/// the time it runs, and the actor takes no mail until that task has ended.
///
/// The life word.
///
///   bit          means                                        set by
///   stop_asked   it shall end after the handler it is in      stop()
///   kill_asked   and that handler is asked to stop            kill()
///   left         the actor's turn has left its handler alone  the turn
///   ended        that handler's task has ended                on_child_end; the next turn clears
///   both guarded      somebody uses the handler's task             kill(), for a few instructions
///   closing      its mail is over: only on_stop is left       the turn
///   dead         it has ended; refs may be left               the turn; stays
///
///   R1. Only the turn of the actor touches what is not atomic; it is handed on by the mailbox word
///       (idle -> pushed or poked: who does it schedules), and from a handler's task by the second
///       of `left` and `ended`.
///   R2. The handler's task is not freed while `guarded` is set: on_child_end waits for that.
///   R3. refs_ counts strong references and one for the life; who takes it to 0 frees the block and
///       raises the generation that weak references carry.
///   R4. Blocks are type-stable: a late poke of a recycled one is a turn without work.
class alignas(cache_line_bytes) actor_block final : public job, public task_owner {
public:
  static constexpr std::size_t inline_state_bytes = 16;

  /// Takes a block whose actor is not there yet. Errors: std::bad_alloc.
  static actor_block& create(executor& exec, const actor_table& table, actor_limits limits);

  /// The place of the state; it is large enough for `size_bytes`.
  [[nodiscard]] void* make_room(std::size_t size_bytes);
  [[nodiscard]] void* state() const noexcept { return state_; }

  /// Begins the life of an actor whose state is in place: on_start goes first.
  /// Errors: std::bad_alloc.
  void begin_life();

  /// Gives back a block whose state could not be made.
  void abort_birth() noexcept;

  // --- references ---

  void add_ref() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void drop_ref() noexcept;
  [[nodiscard]] std::uint32_t generation() const noexcept {
    return static_cast<std::uint32_t>(refs_.load(std::memory_order_relaxed) >> generation_shift);
  }
  /// Makes a strong reference of a weak one. Returns: false when that actor's block is gone.
  [[nodiscard]] bool try_add_ref(std::uint32_t generation) noexcept;

  // --- mail; threads: any ---

  [[nodiscard]] message_queue::pushed push(envelope& message) noexcept {
    auto how = mail_.push(message, capacity());
    if (how == message_queue::pushed::sent_to_idle) {
      exec().schedule(*this);
      return message_queue::pushed::sent;
    }
    return how;
  }
  [[nodiscard]] bool park_sender(parked_waiter& waiter, waker key) noexcept {
    return parking_lot::instance().park(waiter, this, key,
                                        [this] { return mail_.want_room(capacity()); });
  }
  void wake_senders(std::size_t count) noexcept {
    parking_lot::instance().wake(this, count, [this] { mail_.room_is_wanted_no_more(); });
  }
  [[nodiscard]] bool has_ended() const noexcept { return mail_.is_closed(); }
  [[nodiscard]] bool has_room() const noexcept { return mail_.has_room(capacity()); }
  [[nodiscard]] bool rejects() const noexcept { return rejects_; }

  /// Asks it to end after the handler it is in. Threads: any.
  void stop() noexcept { ask_to_end(stop_asked); }
  /// The same, and asks that handler to stop. Threads: any.
  void kill() noexcept { ask_to_end(kill_asked); }

  // --- its own turn ---

  [[nodiscard]] executor& exec() const noexcept { return *exec_.load(std::memory_order_relaxed); }
  [[nodiscard]] const char* class_name() const noexcept { return table_->class_name; }
  [[nodiscard]] std::string name() const;
  /// Starts `body` as the handler of the message that is being run.
  template <class T>
  void start_handler(task<T>&& body) {
    task_core& core = task_core::create(exec(), std::source_location::current());
    core.start_here(move_into(core, std::move(body)), *this);
  }

  void on_child_start(task_core& handler) noexcept override { handler_ = &handler; }
  void on_child_end(task_core& handler) noexcept override;
  [[nodiscard]] actor_block* actor() const noexcept override {
    return const_cast<actor_block*>(this);
  }

  /// What only some actors have, made on first use. Before its life begins, or on its own turn.
  /// Errors: std::bad_alloc.
  [[nodiscard]] actor_extension& extension();
  [[nodiscard]] actor_extension* extension_if_any() const noexcept {
    return extension_.load(std::memory_order_acquire);  // <- extension
  }

  // --- all actors of a runtime ---

  /// Asks those that are there to stop. Returns: how many. Threads: any.
  static std::size_t stop_all(const executor& exec) noexcept;

  /// Ends those that get no turn any more, without running anything of theirs but destructors.
  /// Requires: the workers have stopped, and their tasks are gone.
  static void abandon_all(const executor& exec) noexcept;

private:
  friend class slab<actor_block>;

  static constexpr std::uint32_t stop_asked = 1, kill_asked = 2, left = 4, ended = 8, guarded = 16,
                                 closing = 32, dead = 64;
  static constexpr unsigned generation_shift = 32;
  static constexpr int mail_per_turn = 64;

  actor_block() noexcept : job{&run_turn} {}

  static void run_turn(job& self) noexcept;
  void work() noexcept;
  [[nodiscard]] bool go_on_after_handler() noexcept;
  [[nodiscard]] bool look_up() noexcept;
  [[nodiscard]] bool run(envelope& message) noexcept;
  [[nodiscard]] bool settle(std::exception_ptr error) noexcept;
  [[nodiscard]] bool conclude(bool failed) noexcept;
  [[nodiscard]] envelope* next_mail() noexcept;
  [[nodiscard]] bool take_more() noexcept;
  [[nodiscard]] bool try_idle() noexcept;
  void begin_message(const envelope& message) noexcept;
  [[nodiscard]] bool only_life_is_left() const noexcept {
    return static_cast<std::uint32_t>(refs_.load(std::memory_order_acquire)) == 1;  // <- drop_ref
  }

  void ask_to_end(std::uint32_t how) noexcept;
  void stop_handler() noexcept;
  enum class last_words { wanted, unwanted };  // on_stop
  void begin_end(last_words wish, std::exception_ptr error = nullptr) noexcept;
  void end_life() noexcept;
  void drop_mail() noexcept;
  void free_state() noexcept;
  void free_extension() noexcept { delete extension_.exchange(nullptr, std::memory_order_relaxed); }
  void abandon() noexcept;
  void recycle() noexcept;

  [[nodiscard]] std::uint32_t capacity() const noexcept { return is_unbounded_ ? 0 : capacity_; }

  // First line, behind the job and the owner's table: what a send and a turn touch.
  message_queue mail_;
  pal::atomic<executor*> exec_{nullptr};  // Null while the block is free.
  pal::atomic<std::uint64_t> refs_{0};
  envelope* taken_ = nullptr;    // Oldest first.
  envelope* current_ = nullptr;  // What the handler runs, or on_start, or on_stop.

  // Second line.
  void* state_ = nullptr;
  const actor_table* table_ = nullptr;
  task_core* handler_ = nullptr;
  pal::atomic<actor_extension*> extension_{nullptr};
  pal::atomic<std::uint32_t> life_{dead};
  std::uint16_t capacity_ = 0;
  std::uint16_t begun_ = 0;  // Messages whose room was not given back yet.
  std::uint32_t state_bytes_ = 0;
  bool is_unbounded_ = false;
  bool rejects_ = false;
  bool is_lone_ = false;  // `current_` is still in the mailbox word.
  alignas(16) std::byte inline_state_[inline_state_bytes];
};

static_assert(sizeof(actor_block) == 2 * cache_line_bytes);

}  // namespace troupe::detail
