#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include <troupe/actor/detail/actor_extension.hpp>
#include <troupe/actor/detail/envelope.hpp>
#include <troupe/base/cache_line.hpp>
#include <troupe/sync/parking_lot.hpp>
#include <troupe/task/core.hpp>
#include <troupe/task/executor.hpp>
#include <troupe/task/slab.hpp>
#include <troupe/task/start.hpp>

namespace troupe::inline v0_1 {

struct actor_sight;

/// What becomes of a message that finds the mailbox full.
enum class overflow : unsigned char {
  wait,         ///< Its sender waits for room.
  reject,       ///< The send fails with `mailbox_full`.
  drop_newest,  ///< It is dropped, and reported as undelivered; the send succeeds.
};

namespace detail {

class request_base;

/// What an actor of one class can do; one table per class.
struct actor_table {
  void (*destroy)(actor_block&) noexcept;
  /// These make an envelope that runs on_start or on_stop; null where the class has none.
  envelope* (*start_event)();
  envelope* (*stop_event)();
  /// Gives it its next behavior. Returns: false when it has none of that type.
  bool (*become)(void* state, void* made, const char* type_name) noexcept;
  const char* class_name;
  std::size_t state_bytes;
  bool is_state_inline;  ///< It lies in the block.
};

/// How an actor is set up, beside its class.
struct actor_limits {
  std::uint16_t capacity = 0;  ///< 0: what the executor, a scheduler, says.
  bool is_unbounded = false;
  bool is_pinned = false;    ///< All its turns are on one worker.
  bool is_draining = false;  ///< A stop lets it do its mail.
  overflow when_full = overflow::wait;
};

/// One actor: its mailbox, its state, its life; 120 bytes, and nothing else while it is idle.
///
/// Its job runs messages one after the other. A handler that is a coroutine gets a task cell for
/// the time it runs, and the actor takes no mail until that task has ended. Mostly that task is
/// left alone: it is queued and runs like any other. Where the actor has side tasks, or is pinned,
/// all of its tasks are routed: they get their turns within those of the actor, one at a time.
///
/// The life word.
///
///   bit             means                                         set by
///   stop_asked      it shall end after the handler it is in       stop()
///   kill_asked      and that handler is asked to stop             kill()
///   restart_asked   the same, to begin anew                       restart(), by its supervisor
///   given_up        its supervisor will not start it anew         give_up()
///   rebuild_asked   a paused one shall begin anew                 rebuild(), by its supervisor
///   left            the turn has left its handler alone           the turn
///   ended           that handler's task has ended                 on_child_end; the turn clears
///   guarded         somebody uses the handler's task              kill(), for a few instructions
///   closing         an incarnation ends that has an on_stop       the turn
///   news            something of the above, or a routed task      notify(); the turn clears
///   resting         the turn is over, and mail does not begin     the turn, if there are no news;
///                   another: it waits for news                    notify() clears, and schedules
///   dead            it has ended; refs may be left                the turn; stays
///   retired         it gets no turn any more, nor does anybody    retire, retire_waiting: who ends
///                   schedule it                                   its executor; stays
///
///   R1. Only the turn of the actor touches what is not atomic; it is handed on by the mailbox word
///       (idle -> pushed or poked: who does it schedules, or has the turn within its own), by
///       `resting` (who clears it schedules), and from a handler that was left alone by the second
///       of `left` and `ended`.
///   R2. The handler's task is not freed while `guarded` is set: on_child_end waits for that.
///   R3. refs_ counts strong references and one for the life; who takes it to 0 frees the block and
///       raises the generation that weak references carry.
///   R4. Blocks are type-stable: a late poke or notice of a recycled one is a turn without work.
///   R5. A handler that was left alone and begins a side task, or a child, is routed from the end
///       of its present turn on, and queues the actor for then.
///   R6. Who schedules has cleared `idle` or `resting` first. Who ends the executor, after its
///       workers, clears them itself, or finds the job in a queue: after that nobody can schedule,
///       and all who have are in the executor, which waits for them to leave.
///   R7. An actor that ends unseen trades the reference of its life for `leaving`: no weak one
///       finds it any more, and those that its own destructor makes do not end it a second time.
///
/// A kept actor. A worker whose tasks ask a sleeping actor again and again leaves its context as
/// the mark in the mailbox word: then it may have the actor's turns within its own without a locked
/// operation, as long as the word stays as it is.
///
///   K1. The keeper stores the actor in its context's `visits`, runs the light barrier, and runs a
///       handler only if the word still has its mark. Who clears `idle` from a marked word runs the
///       heavy barrier, and looks whether the keeper is in the actor. So one of them sees the
///       other.
///   K2. Who has cleared it, and finds the keeper in the actor, hands the turn over: he puts the
///       actor into `left_over`, runs the heavy barrier, and looks again. The keeper clears
///       `visits`, runs the light barrier, and then looks into `left_over`. Who takes the actor out
///       of there has the turn to give: the keeper queues it, the other looks again (K1). He has
///       a foreign_visit meanwhile: the actor may have ended, and its runtime be about to. The
///       barriers order what was done before it was put there; so `left_over` itself is relaxed.
///   K3. What the keeper has done in the actor is seen by who reads another value of `visits`.
///   K4. An actor is kept after 64 turns within those of others; sixteen times as many each time it
///       was taken from a keeper, up to three times. So what that costs does not weigh.
class actor_block final : public job, public task_owner {
public:
  static constexpr std::size_t inline_state_bytes = 16;
  template <class A>
  static constexpr bool is_state_inline =
      sizeof(A) <= inline_state_bytes && alignof(A) <= alignof(void*);

  /// Takes a block whose actor is not there yet. Errors: std::bad_alloc.
  static actor_block& create(executor& exec, const actor_table& table, actor_limits limits);

  /// The place of the state.
  [[nodiscard]] void* make_room();
  [[nodiscard]] void* state() noexcept {
    return table_->is_state_inline ? inline_state_ : outer_state_;
  }
  /// The same of an actor whose class is A.
  template <class A>
  [[nodiscard]] A& state_of() noexcept {
    if constexpr (is_state_inline<A>) {
      return *std::launder(reinterpret_cast<A*>(inline_state_));
    } else {
      return *static_cast<A*>(outer_state_);
    }
  }
  /// Takes a place back whose state could not be made.
  void drop_room() noexcept;

  /// Makes an actor whose state is in place addressable. Errors: std::bad_alloc.
  void prepare_life();
  /// Gives it its first turn, or lets it sleep: on_start goes first.
  void begin_life() noexcept;
  /// Gives back a block whose life has not begun.
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
    void* keeper = nullptr;
    auto how = mail_.push(message, capacity(), keeper);
    if (how == message_queue::pushed::sent_to_idle) [[unlikely]] {
      schedule_woken(keeper);
      return message_queue::pushed::sent;
    }
    return how;
  }
  /// The same for a message that nobody answers: where a full mailbox drops it, it is not in the
  /// way of its sender. Returns: sent, also then; full, closed.
  [[nodiscard]] message_queue::pushed push_sent(envelope& message) noexcept {
    auto how = push(message);
    if (how != message_queue::pushed::full || when_full_ != overflow::drop_newest) return how;
    message.table->drop(message, ask_errc::mailbox_full);
    return message_queue::pushed::sent;
  }
  /// Runs a request of the task whose turn it is here and now, within that turn, if the actor
  /// sleeps and its handler is a plain function. Returns: false when it does not; then nothing was
  /// done. R1
  [[nodiscard]] bool try_run(request_base& message) noexcept;
  /// Sends what has its own room: notices, timers' messages. Returns: false when it takes no mail.
  [[nodiscard]] bool push_uncounted(envelope& message) noexcept {
    void* keeper = nullptr;
    auto how = mail_.push(message, 0, keeper);
    if (how == message_queue::pushed::sent_to_idle) schedule_woken(keeper);
    return how != message_queue::pushed::closed;
  }
  /// The same; one that it does not take is dropped.
  void push_or_drop(envelope& message) noexcept {
    if (!push_uncounted(message)) drop(message);
  }
  [[nodiscard]] bool park_sender(parked_waiter& waiter, waker key) noexcept {
    return parking_lot::instance().park(waiter, this, key,
                                        [this] { return mail_.want_room(capacity()); });
  }
  void wake_senders(std::size_t count) noexcept;
  [[nodiscard]] bool has_ended() const noexcept { return mail_.is_closed(); }
  [[nodiscard]] bool has_room() const noexcept { return mail_.has_room(capacity()); }
  [[nodiscard]] overflow when_full() const noexcept { return when_full_; }

  /// Asks it to end after the handler it is in. Threads: any.
  void stop() noexcept { ask_to_end(stop_asked); }
  /// The same, and asks that handler to stop. Threads: any.
  void kill() noexcept { ask_to_end(kill_asked); }

  // --- from its supervisor; threads: any ---

  /// Ends this incarnation like kill(), but with on_stop, and pauses.
  void restart() noexcept { ask_to_end(restart_asked); }
  /// Lets a paused one begin anew.
  void rebuild() noexcept {
    life_.fetch_and(~restart_asked, std::memory_order_relaxed);  // Its end has answered that.
    notify(rebuild_asked);
  }
  /// Ends it for good, after the handler it is in.
  void give_up() noexcept { ask_to_end(stop_asked | given_up); }
  void give_up_now() noexcept { ask_to_end(kill_asked | given_up); }

  /// Gives it a turn in which it looks up, unless it is dead. Threads: any.
  void notify(std::uint32_t bits = 0) noexcept;

  [[nodiscard]] bool is_dead() const noexcept {
    return (life_.load(std::memory_order_seq_cst) & dead) != 0;
  }
  [[nodiscard]] bool is_given_up() const noexcept {
    return !is_supervised_ || (life_.load(std::memory_order_relaxed) & given_up) != 0;
  }

  /// Returns: the task of the handler that holds its mail up; null for none. Threads: any, a hint.
  [[nodiscard]] task_core* handler() const noexcept {
    return handler_.load(std::memory_order_acquire);  // <- on_child_start
  }

  // --- its own turn ---

  [[nodiscard]] executor& exec() const noexcept { return *exec_.load(std::memory_order_relaxed); }
  [[nodiscard]] const executor* exec_address() const noexcept {
    return exec_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] const actor_table& table() const noexcept { return *table_; }
  [[nodiscard]] const char* class_name() const noexcept { return table_->class_name; }
  [[nodiscard]] std::string name() const;
  /// Starts `body` as the handler of the message that is being run.
  template <class T>
  void start_handler(task<T>&& body) {
    task_core& core =
        task_core::create(exec(), task_origin::of_message(current_->table->message_name));
    task_owner* owner = this;
    if (current_->table->is_interleaved) {
      try {
        owner = new interleaved_run{*this, side(), *current_};
      } catch (...) {
        core.destroy();
        throw;
      }
    }
    core.start_here(move_into(core, std::move(body)), *owner);
  }

  /// The tasks that get their turns from it, made on first use. Errors: std::bad_alloc.
  [[nodiscard]] side_tasks& side();
  /// To be called before a side task, or a child of the handler, is started, on a turn of the
  /// actor or its handler. R5
  [[nodiscard]] side_tasks& begin_side_task();

  /// Returns: a number that is another one when a message was handled since it was asked for last,
  /// by whomever, or its handler was running then. Requires: it has timers.
  [[nodiscard]] std::uint64_t activity() noexcept;

  /// The message was handled. Returns: true when its own finish() is all that is left to do.
  [[nodiscard]] bool let_go_of_message() noexcept {
    current_ = nullptr;
    return !owes_replies_ && !is_put_aside_;
  }
  /// All that there may be to do, while the actor is on this thread.
  void finish(envelope& done, handler_failure failure) noexcept;

  /// Puts the message that is being handled aside, whole again by what is `from`.
  void put_aside(void* from, const char* message_name);
  /// Handles what was put aside next, oldest first, before all other mail.
  void take_up_all() noexcept;

  /// Keeps a request whose reply<T> is dropped while the handler fails, until it has ended.
  /// Returns: false when none fails here, or there is no memory.
  [[nodiscard]] bool leave_to_handler(request_base& unanswered) noexcept;

  void on_child_start(task_core& handler) noexcept override;
  void on_child_end(task_core& handler) noexcept override;
  [[nodiscard]] actor_block* actor() const noexcept override {
    return const_cast<actor_block*>(this);
  }
  [[nodiscard]] envelope* message() const noexcept override { return current_; }
  void route(task_core& ready) noexcept override;
  [[nodiscard]] task_owner* turns_of_children() override { return &begin_side_task(); }

  /// Watches `other` from now on. Errors: std::bad_alloc.
  void add_monitor(std::unique_ptr<monitor_node> node, actor_block& other);
  void end_monitors_of(const actor_id& other) noexcept;
  void link_with(actor_block& other);

  /// What only some actors have, made on first use. Errors: std::bad_alloc. Threads: any.
  [[nodiscard]] actor_extension& extension();
  [[nodiscard]] actor_extension* extension_if_any() const noexcept {
    return extension_.load(std::memory_order_seq_cst);  // <- extension; watch R2
  }
  /// Tells who watches it that an incarnation has ended for `why`, and the next one begins.
  void announce_restart(const exit_reason& why) noexcept;

  /// Sets what its supervisor needs. Requires: before its life begins.
  void supervise_by(std::unique_ptr<lineage> line);

  // --- all actors of a runtime ---

  /// Returns: those that have no supervisor and have not ended, the youngest first, each counted.
  /// Errors: std::bad_alloc. Threads: any.
  static std::vector<actor_block*> all_unsupervised(const executor& exec);

  /// Returns: its name, for one who holds no reference; "?" when that actor is gone. Threads: any.
  [[nodiscard]] std::string name_seen();
  /// See look_at_actors().
  static std::vector<actor_sight> look_at_all(const executor& exec);

  /// Calls `act` with every routed task that waits for its turn. Requires: no worker runs.
  template <class Act>
  static void take_back_tasks(const executor& exec, Act act);

  /// Returns: the actor whose turn the job is; null when it is none of an actor.
  [[nodiscard]] static actor_block* of(job& queued) noexcept {
    return queued.run == &run_turn ? static_cast<actor_block*>(&queued) : nullptr;
  }

  /// See all_actors.hpp. R6
  static bool retire(job& turn) noexcept;
  [[nodiscard]] static bool retire_waiting(const executor& exec) noexcept;

  /// Ends those that get no turn any more, without running anything of theirs but destructors.
  /// Requires: all are retired, and the tasks of the executor are gone.
  static void abandon_all(const executor& exec) noexcept;

private:
  friend class slab<actor_block>;
  template <class>
  friend struct debug_access;

  static constexpr std::uint32_t stop_asked = 1, kill_asked = 2, restart_asked = 4, given_up = 8,
                                 rebuild_asked = 16, left = 32, ended = 64, guarded = 128,
                                 closing = 256, news = 512, resting = 1024, dead = 2048,
                                 retired = 4096;
  static constexpr unsigned generation_shift = 32;
  static constexpr std::uint32_t leaving = std::uint32_t{1} << 31;  // In the count of refs_. R7
  static constexpr int mail_per_turn = 64;
  static constexpr std::uint8_t visits_to_keep = 64;

  // Where an incarnation is on its way; `alive` is most of it.
  enum class phase : unsigned char { alive, unwinding, farewell, paused };
  enum class last_words : unsigned char { wanted, unwanted };  // on_stop

  actor_block() noexcept : job{&run_turn} {}

  void poke() noexcept;
  void schedule_woken(void* keeper) noexcept;
  void take_from(context& keeper) noexcept;
  [[nodiscard]] bool try_visit(context& here, request_base& message) noexcept;
  static void leave_visit(context& here) noexcept;
  void end_visit_awake(context& here) noexcept;
  void run_here(context& here, request_base& message);
  [[nodiscard]] bool may_be_kept(context& here) noexcept {
    if (visits_ == visits_to_keep) return true;
    std::uint32_t counted_of = 1U << (4U * times_taken_);  // K4
    if ((++here.inner_turns & (counted_of - 1)) == 0) ++visits_;
    return visits_ == visits_to_keep;
  }
  // By another thread, or from within. K4
  void note_taken() noexcept {
    visits_ = 0;
    if (times_taken_ < 3) ++times_taken_;
  }
  void schedule_turn() noexcept;
  void schedule_turn_back() noexcept;

  static void run_turn(job& self) noexcept;
  void work() noexcept;
  [[nodiscard]] bool begin_turn() noexcept;
  [[nodiscard]] bool go_on_after_handler() noexcept;
  [[nodiscard]] bool wait_for_handler() noexcept;
  [[nodiscard]] bool rest() noexcept;
  [[nodiscard]] bool look_up() noexcept;
  [[nodiscard]] bool drains_first(std::uint32_t seen) noexcept;
  [[nodiscard]] bool is_drained() const noexcept { return is_draining_ && mail_.is_closed(); }
  [[nodiscard]] bool run(envelope& message) noexcept;
  [[nodiscard]] bool leave_handler() noexcept;
  [[nodiscard]] bool settle(std::exception_ptr error) noexcept;
  [[nodiscard]] bool conclude(handler_failure failure) noexcept;
  [[nodiscard]] bool conclude_lone(envelope& done, handler_failure failure) noexcept;
  void fail_unanswered(handler_failure failure) noexcept;
  [[nodiscard]] envelope* next_mail() noexcept;
  // Of those that are out of the mailbox word. Requires: there is one.
  [[nodiscard]] envelope* next_taken() noexcept {
    envelope* oldest = taken_;
    taken_ = static_cast<envelope*>(oldest->next);
    begin_message(*oldest);
    return oldest;
  }
  [[nodiscard]] bool may_stay_in_word(const envelope& only) const noexcept;
  [[nodiscard]] envelope* next_taken_up() noexcept;
  [[nodiscard]] bool take_more() noexcept;
  [[nodiscard]] bool try_idle() noexcept;
  void begin_message(const envelope& message) noexcept {
    if (!is_unbounded_ && message.table->is_counted) count_begun();
  }
  void count_begun() noexcept;
  [[nodiscard]] bool only_life_is_left() const noexcept {
    return static_cast<std::uint32_t>(refs_.load(std::memory_order_acquire)) == 1;  // <- drop_ref
  }

  void ask_to_end(std::uint32_t how) noexcept;
  void stop_handler() noexcept;
  [[nodiscard]] bool shall_break_off(std::uint32_t seen) const noexcept {
    return (seen & kill_asked) != 0 || (seen & (restart_asked | closing)) == restart_asked;
  }
  [[nodiscard]] side_tasks* side_if_any() const noexcept;

  // The end of an incarnation, step by step; each goes on with the next, or rests.
  void report(const std::exception_ptr& unseen) noexcept;
  void begin_end(exit_kind kind, std::exception_ptr error = nullptr) noexcept;
  void unwind() noexcept;
  void say_last_words() noexcept;
  void end_incarnation() noexcept;
  void pause() noexcept;
  void await_verdict() noexcept;
  [[nodiscard]] bool hear_verdict() noexcept;
  [[nodiscard]] bool begin_anew() noexcept;
  void remind() noexcept;
  void end_life() noexcept;
  [[nodiscard]] bool end_unseen() noexcept;

  void close_mail() noexcept;
  void drop_mail() noexcept;
  static void drop(envelope& unrun) noexcept;
  void drop_monitors() noexcept;
  void tell_watchers() noexcept;
  void tell_supervisor() noexcept;
  template <class Act>
  static void for_each_living(const executor& exec, Act act);
  [[nodiscard]] bool retire_asleep() noexcept;

  void free_state() noexcept;
  // Nobody has it any more: a plain look spares those without one the locked step.
  void free_extension() noexcept {
    actor_extension* more = extension_.load(std::memory_order_relaxed);
    if (more == nullptr) return;
    extension_.store(nullptr, std::memory_order_relaxed);
    delete more;
  }
  void abandon() noexcept;
  void recycle() noexcept;
  void give_block_back() noexcept;

  [[nodiscard]] std::uint32_t capacity() const noexcept { return is_unbounded_ ? 0 : capacity_; }

  // First, behind the job and the owner's table: what a send and a turn touch.
  message_queue mail_;
  pal::atomic<executor*> exec_{nullptr};  // Null while the block is free.
  pal::atomic<std::uint64_t> refs_{0};
  envelope* taken_ = nullptr;    // Oldest first.
  envelope* current_ = nullptr;  // What the handler runs, or on_start, or on_stop.

  const actor_table* table_ = nullptr;
  pal::atomic<task_core*> handler_{nullptr};
  pal::atomic<actor_extension*> extension_{nullptr};
  pal::atomic<std::uint32_t> life_{dead};
  pal::atomic<std::uint32_t> started_{0};  // Counts the actors of the process, for their order.
  std::uint16_t capacity_ = 0;
  std::uint16_t begun_ = 0;                  // Messages whose room was not given back yet.
  overflow when_full_ : 2 = overflow::wait;  // These do not change while it lives.
  bool is_unbounded_ : 1 = false;
  bool is_pinned_ : 1 = false;
  bool is_supervised_ : 1 = false;
  bool is_draining_ : 1 = false;
  std::uint8_t visits_ = 0;  // Turns within those of others, since it was taken from a keeper.
  phase phase_ : 2 = phase::alive;
  std::uint8_t times_taken_ : 2 = 0;
  bool is_lone_ : 1 = false;  // `current_` is still in the mailbox word.
  bool is_put_aside_ : 1 = false;
  bool owes_replies_ : 1 = false;  // To those that the handler has dropped while it failed.
  bool rests_ : 1 = false;         // The turn before this one has rested.
  bool has_words_ : 1 = false;
  bool has_taken_up_ : 1 = false;
  bool has_begun_ : 1 = false;   // With on_start, if there is one.
  bool was_active_ : 1 = false;  // It has handled something since activity() was asked.
  bool has_state_ : 1 = false;
  union {
    alignas(void*) std::byte inline_state_[inline_state_bytes];
    void* outer_state_;
  };
};

// Less than two cache lines: with what holds the blocks together, an actor takes no more than
// those.
static_assert(sizeof(pal::atomic<std::uint64_t>) != sizeof(std::uint64_t) ||
              sizeof(actor_block) == 120);

// One that is dead has nothing, and its block may be recycled by a foreign thread.
template <class Act>
void actor_block::for_each_living(const executor& exec, Act act) {
  slab<actor_block>::instance().for_each([&](actor_block& each) {
    if (each.exec_.load(std::memory_order_acquire) == &exec && !each.is_dead()) act(each);
  });
}

template <class Act>
void actor_block::take_back_tasks(const executor& exec, Act act) {
  for_each_living(exec, [&](actor_block& each) {
    side_tasks* side = each.side_if_any();
    for (job* next = side == nullptr ? nullptr : side->take_ready(); next != nullptr;) {
      job& taken = *next;
      next = taken.next;
      act(taken);
    }
  });
}

}  // namespace detail
}  // namespace troupe::inline v0_1
