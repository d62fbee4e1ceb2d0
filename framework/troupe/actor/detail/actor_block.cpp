#include <troupe/actor/detail/actor_block.hpp>

#include <utility>

#include <troupe/actor/detail/current.hpp>
#include <troupe/actor/detail/request.hpp>
#include <troupe/base/assert.hpp>
#include <troupe/base/memory.hpp>
#include <troupe/pal/thread.hpp>
#include <troupe/sched/scheduler.hpp>
#include <troupe/task/context.hpp>
#include <troupe/task/debug_facts.hpp>

namespace troupe::inline v0_1::detail {

namespace {

// Room goes back in batches of a sixteenth; smaller mailboxes give each back when it is begun.
constexpr std::uint32_t batches = 16;

// On a line of its own: each birth writes it, and what lies beside it is read by all.
struct alignas(cache_line_bytes) {
  pal::atomic<std::uint32_t> count{0};
} actors_started;

}  // namespace

actor_block& actor_block::create(executor& exec, const actor_table& table, actor_limits limits) {
  actor_block& made = slab<actor_block>::instance().take();
  made.mail_.reset();
  made.table_ = &table;
  made.capacity_ =
      limits.capacity != 0 ? limits.capacity : static_cast<scheduler&>(exec).mailbox_capacity();
  made.is_unbounded_ = limits.is_unbounded;
  made.is_pinned_ = limits.is_pinned;
  made.is_supervised_ = false;
  made.is_draining_ = limits.is_draining;
  made.when_full_ = limits.when_full;
  made.begun_ = 0;
  made.visits_ = 0;
  made.times_taken_ = 0;
  made.phase_ = phase::alive;
  made.rests_ = false;
  made.has_begun_ = false;
  made.life_.store(dead, std::memory_order_relaxed);  // Late pokes meet nothing of its last tenant.
  made.exec_.store(&exec, std::memory_order_release);  // -> all_unsupervised
  return made;
}

void* actor_block::make_room() {
  if (!table_->is_state_inline) outer_state_ = allocate(table_->state_bytes);
  has_state_ = true;
  return state();
}

void actor_block::drop_room() noexcept {
  if (has_state_ && !table_->is_state_inline) deallocate(outer_state_, table_->state_bytes);
  has_state_ = false;
}

void actor_block::prepare_life() {
  if (is_pinned_) (void)side();  // All its tasks are routed.
  envelope* first = table_->start_event != nullptr ? table_->start_event() : nullptr;
  started_.store(actors_started.count.fetch_add(1, std::memory_order_relaxed),
                 std::memory_order_relaxed);
  std::uint64_t older = refs_.load(std::memory_order_relaxed) >> generation_shift;
  refs_.store((older << generation_shift) | 2, std::memory_order_relaxed);
  if (first != nullptr) {
    (void)mail_.push_reserved(*first);
  } else if (!is_supervised_) {
    mail_.reset_asleep();  // Nothing is left to do for its life to begin.
  }
  life_.store(0, std::memory_order_release);  // -> all_unsupervised
}

void actor_block::begin_life() noexcept {
  if (table_->start_event == nullptr && !is_supervised_) return;  // It sleeps.
  bool nobody_waits = false;
  if (!mail_.try_idle(0, nobody_waits)) schedule_turn_back();
}

void actor_block::abort_birth() noexcept {
  life_.store(dead, std::memory_order_relaxed);
  drop_mail();
  free_extension();
  drop_room();
  exec_.store(nullptr, std::memory_order_relaxed);
  slab<actor_block>::instance().give_back(*this);
}

// --- references ---

void actor_block::drop_ref() noexcept {
  auto before = refs_.fetch_sub(1, std::memory_order_acq_rel);  // <-> drop_ref, R3
  auto count = static_cast<std::uint32_t>(before);
  if (count == 1) {
    recycle();
  } else if (count == 2) {
    // Only its life is left, as it seems: its own turn will see to it, behind all others.
    void* keeper = nullptr;
    if (!mail_.poke(keeper)) return;
    keeper != nullptr ? take_from(*static_cast<context*>(keeper)) : schedule_turn_back();
  }
}

bool actor_block::try_add_ref(std::uint32_t wanted) noexcept {
  std::uint64_t seen = refs_.load(std::memory_order_relaxed);
  do {
    auto count = static_cast<std::uint32_t>(seen);
    bool is_gone = count == 0 || count >= leaving;
    if (is_gone || static_cast<std::uint32_t>(seen >> generation_shift) != wanted) return false;
  } while (!refs_.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed));
  return true;
}

void actor_block::recycle() noexcept {
  drop_mail();  // What came in past the end, from who had room or a node of its own.
  free_extension();
  give_block_back();
}

void actor_block::give_block_back() noexcept {
  exec_.store(nullptr, std::memory_order_relaxed);
  std::uint64_t older = refs_.load(std::memory_order_relaxed) >> generation_shift;
  refs_.store((older + 1) << generation_shift, std::memory_order_release);  // -> try_add_ref
  slab<actor_block>::instance().give_back(*this);
}

// --- who gives it turns ---

void actor_block::poke() noexcept {
  void* keeper = nullptr;
  if (mail_.poke(keeper)) schedule_woken(keeper);
}

void actor_block::schedule_turn() noexcept {
  if (is_pinned_) return schedule_turn_back();
  exec().schedule(*this);
}

void actor_block::wake_senders(std::size_t count) noexcept {
  parking_lot::instance().wake(this, count, [this] { mail_.room_is_wanted_no_more(); });
}

void actor_block::schedule_turn_back() noexcept {
  if (!is_pinned_) return exec().schedule_back(*this);
  auto& workers = static_cast<scheduler&>(exec());
  auto place = started_.load(std::memory_order_relaxed) % workers.worker_count();
  workers.post_to(place, *this);
}

void actor_block::notify(std::uint32_t bits) noexcept {
  std::uint32_t before = life_.fetch_or(bits | news, std::memory_order_acq_rel);  // <-> rest
  if ((before & dead) != 0) return;
  if ((before & resting) == 0) {
    poke();
  } else if ((life_.fetch_and(~resting, std::memory_order_acq_rel) & resting) != 0) {  // R1
    bool keeps_order = (bits & rebuild_asked) != 0;  // Of siblings that begin anew.
    keeps_order ? schedule_turn_back() : schedule_turn();
  }
}

void actor_block::ask_to_end(std::uint32_t how) noexcept {
  if ((life_.load(std::memory_order_relaxed) & (how | dead)) == how) return;
  notify(how);
  if (shall_break_off(how)) stop_handler();
}

// Of a handler that was left alone; a routed one is stopped by the actor's turn. R2
void actor_block::stop_handler() noexcept {
  std::uint32_t seen = life_.load(std::memory_order_acquire);
  while ((seen & (left | ended)) == left && shall_break_off(seen)) {
    if ((seen & guarded) != 0) {
      pal::spin_hint();
      seen = life_.load(std::memory_order_acquire);
    } else if (life_.compare_exchange_weak(seen, seen | guarded, std::memory_order_acq_rel,
                                           std::memory_order_acquire)) {
      handler_.load(std::memory_order_relaxed)->request_stop();
      life_.fetch_and(~guarded, std::memory_order_release);  // -> on_child_end
      return;
    }
  }
}

void actor_block::on_child_start(task_core& handler) noexcept {
  handler.works_for(this);
  handler_.store(&handler, std::memory_order_release);  // -> find_cycle
  side_tasks* side = side_if_any();
  if (is_pinned_ || (side != nullptr && !side->none_left())) handler.route_by_owner();
}

void actor_block::on_child_end(task_core&) noexcept {
  current_context()->after_turn = nullptr;  // R5: by `left` the actor is queued anyway.
  std::uint32_t before = life_.fetch_or(ended, std::memory_order_acq_rel);
  while ((life_.load(std::memory_order_acquire) & guarded) != 0) pal::spin_hint();  // R2
  if ((before & left) != 0) schedule_turn();                                        // R1
}

void actor_block::route(task_core& ready) noexcept { side_if_any()->push_ready(ready); }

// --- the turn ---

void actor_block::run_turn(job& self) noexcept {
  auto& actor = static_cast<actor_block&>(self);
  context* here = current_context();
  here->begin_turn(nullptr);
  here->actor = &actor;
  actor.work();
  here->actor = nullptr;
}

void actor_block::work() noexcept {
  if ((rests_ || handler_.load(std::memory_order_relaxed) != nullptr) && !begin_turn()) return;
  if (only_life_is_left() && end_unseen()) return;
  for (std::uint32_t left_this_turn = current_context()->mail_per_turn;; --left_this_turn) {
    if (mail_.take_poke() && !look_up()) return;
    if (left_this_turn == 0) return schedule_turn_back();
    if (taken_ != nullptr && !has_taken_up_) {
      if (!run(*next_taken())) return;
      continue;
    }
    // Before the mail: what was sent by who dropped the last ref is then seen.
    bool is_unreachable = only_life_is_left();
    envelope* mail = next_mail();
    if (mail != nullptr) {
      if (!run(*mail)) return;
    } else if (is_drained()) {
      return begin_end(exit_kind::stopped);
    } else if (is_unreachable) {
      side_tasks* side = side_if_any();
      if (side == nullptr || !side->holds()) return begin_end(exit_kind::unreachable);
      if (try_idle()) return;  // Its side tasks go on; each look up sees how many are left.
    } else if (try_idle()) {
      return;
    }
  }
}

// What another turn than the first begins with. Returns: whether it goes on to the mail.
bool actor_block::begin_turn() noexcept {
  bool rested = rests_;
  rests_ = false;
  if (phase_ == phase::paused) return hear_verdict();
  if (handler_.load(std::memory_order_relaxed) == nullptr) {
    if (rested && phase_ != phase::alive) {
      unwind();
      return false;
    }
    return true;
  }
  bool has_ended = (life_.load(std::memory_order_acquire) & ended) != 0;
  return has_ended ? go_on_after_handler() : wait_for_handler();
}

// With a routed handler that waits. Returns: as run().
bool actor_block::wait_for_handler() noexcept {
  life_.fetch_and(~left, std::memory_order_relaxed);
  side_tasks& side = *side_if_any();
  for (int rounds = 0; rounds < mail_per_turn; ++rounds) {
    std::uint32_t seen = life_.fetch_and(~news, std::memory_order_acq_rel);
    if ((seen & ended) != 0) {
      // A task that the handler's last segment has woken is in the list, and gave notice once.
      if ((seen & (news | stop_asked | kill_asked | restart_asked)) != 0 || side.has_error()) {
        remind();
      }
      return go_on_after_handler();
    }
    if (shall_break_off(seen) || side.has_error()) {
      handler_.load(std::memory_order_relaxed)->request_stop();
    }
    if (!side.run_ready() && rest()) return false;
  }
  rests_ = true;
  schedule_turn_back();
  return false;
}

// Returns: true when the turn is over; false when there are news.
bool actor_block::rest() noexcept {
  rests_ = true;  // Before the step: after it the actor may be another's.
  std::uint32_t seen = life_.load(std::memory_order_relaxed);
  do {
    if ((seen & (news | ended)) != 0) {
      rests_ = false;
      return false;
    }
  } while (!life_.compare_exchange_weak(seen, seen | resting, std::memory_order_acq_rel,
                                        std::memory_order_relaxed));
  return true;
}

// After a poke, between two messages. Returns: whether the turn goes on.
bool actor_block::look_up() noexcept {
  std::uint32_t seen = life_.load(std::memory_order_acquire);
  if ((seen & news) == 0) return true;
  seen = life_.fetch_and(~news, std::memory_order_acq_rel);
  if ((seen & kill_asked) != 0) {
    begin_end(exit_kind::killed);
    return false;
  }
  if (side_tasks* side = side_if_any()) {
    (void)side->run_ready();
    if (std::exception_ptr error = side->take_error()) {
      begin_end(exit_kind::failed, std::move(error));
      return false;
    }
  }
  if ((seen & (restart_asked | stop_asked)) == 0 || drains_first(seen)) return true;
  begin_end((seen & restart_asked) != 0 ? exit_kind::restarted : exit_kind::stopped);
  return false;
}

// Returns: whether it is to do the mail that it has before it stops, and to take no more.
bool actor_block::drains_first(std::uint32_t seen) noexcept {
  if (!is_draining_ || (seen & restart_asked) != 0 || !is_given_up()) return false;
  close_mail();
  return true;
}

envelope* actor_block::next_mail() noexcept {
  if (has_taken_up_) return next_taken_up();
  if (taken_ == nullptr) {
    auto* only = static_cast<envelope*>(mail_.lone());
    if (only != nullptr && may_stay_in_word(*only)) {
      is_lone_ = true;
      return only;
    }
    if (!take_more()) return nullptr;
  }
  return next_taken();
}

// A lone message, while its handler runs.
bool actor_block::may_stay_in_word(const envelope& only) const noexcept {
  return only.table->is_plain && !only_life_is_left() && (is_unbounded_ || capacity_ >= batches);
}

bool actor_block::take_more() noexcept {
  bool senders_wait = false;
  std::uint32_t rooms = begun_;
  taken_ = static_cast<envelope*>(mail_.take_all(rooms, senders_wait));
  if (taken_ == nullptr) return false;
  begun_ = 0;
  if (senders_wait) wake_senders(rooms);
  return true;
}

void actor_block::count_begun() noexcept {
  if (++begun_ * batches < capacity_) return;
  std::uint32_t rooms = std::exchange(begun_, std::uint16_t{0});
  if (mail_.give_back(rooms).wanted) wake_senders(rooms);
}

bool actor_block::try_idle() noexcept {
  bool senders_wait = false;
  std::uint32_t rooms = begun_;
  begun_ = 0;  // Before the step: after it the actor may be another's.
  if (!mail_.try_idle(rooms, senders_wait)) {
    begun_ = static_cast<std::uint16_t>(rooms);
    return false;
  }
  if (senders_wait) wake_senders(rooms);  // R4: its address is all that counts.
  return true;
}

// Returns: true when the turn goes on; false when the actor is another's now.
bool actor_block::run(envelope& message) noexcept {
  current_ = &message;
  was_active_ = true;
  has_begun_ = true;
  const envelope_table& kind = *message.table;  // An interleaved handler may have freed it.
  current_context()->handles = kind.message_name;
  try {
    if (!kind.run(*this, message)) {
      if (!kind.is_interleaved) return leave_handler();
      current_ = nullptr;  // Its own task ends it, or has done so.
      return true;
    }
  } catch (...) {
    return settle(std::current_exception());
  }
  return phase_ == phase::alive ? conclude(nullptr) : settle(nullptr);
}

// After the first turn of a handler that is a coroutine. Returns: as run().
bool actor_block::leave_handler() noexcept {
  std::uint32_t seen = life_.load(std::memory_order_acquire);
  if ((seen & ended) != 0) return go_on_after_handler();
  task_core& handler = *handler_.load(std::memory_order_relaxed);
  if (handler.is_routed()) return wait_for_handler();
  do {
    // While the handler is still ours: after the step it may be another's, and recycled.
    if (shall_break_off(seen) && (seen & ended) == 0) handler.request_stop();
  } while (!life_.compare_exchange_weak(seen, seen | left, std::memory_order_acq_rel,
                                        std::memory_order_acquire));
  return (seen & ended) != 0 && go_on_after_handler();  // R1
}

bool actor_block::go_on_after_handler() noexcept {
  life_.fetch_and(~(left | ended), std::memory_order_relaxed);
  task_core* handler = handler_.load(std::memory_order_relaxed);
  handler_.store(nullptr, std::memory_order_relaxed);
  std::exception_ptr error;
  try {
    current_->table->complete(*current_, *handler);
  } catch (...) {
    error = std::current_exception();
  }
  handler->destroy();
  return settle(std::move(error));
}

// The end of a message. An answer goes out last: who gets it may free the message, and if the actor
// went to sleep with it, it is another's now. Returns: as run(); after a failure it stays awake.
bool actor_block::conclude(handler_failure failure) noexcept {
  envelope* done = std::exchange(current_, nullptr);
  if (is_lone_) return conclude_lone(*done, failure);
  finish(*done, failure);
  return true;
}

// The same of a message that is still in the mailbox word.
bool actor_block::conclude_lone(envelope& done, handler_failure failure) noexcept {
  is_lone_ = false;
  bool senders_wait = false;
  std::uint32_t rooms = begun_;
  if (!is_unbounded_ && done.table->is_counted) ++rooms;
  std::uint16_t before = std::exchange(begun_, std::uint16_t{0});
  bool has_more = is_put_aside_ || owes_replies_ || has_taken_up_;
  bool may_sleep = failure == nullptr && !has_more && !only_life_is_left();
  if (may_sleep && mail_.try_idle_after(done, rooms, senders_wait)) {
    if (senders_wait) wake_senders(rooms);
    done.table->finish(done, failure);
    return false;
  }
  begun_ = before;
  (void)take_more();  // It is the oldest of what is there.
  taken_ = static_cast<envelope*>(taken_->next);
  begin_message(done);
  finish(done, failure);
  return true;
}

void actor_block::finish(envelope& done, handler_failure failure) noexcept {
  if (!owes_replies_ && !is_put_aside_) [[likely]]
    return done.table->finish(done, failure);
  if (owes_replies_) fail_unanswered(failure);
  bool is_put_aside = is_put_aside_;
  is_put_aside_ = false;
  if (failure != nullptr || !is_put_aside) return done.table->finish(done, failure);
  done.table->refill(done, nullptr);
  extension_if_any()->put_aside.push_back(done);
}

std::uint64_t actor_block::activity() noexcept {
  std::uint64_t& count = extension_if_any()->activity;
  if (was_active_) ++count;
  was_active_ = handler() != nullptr;  // Until that has ended; the look after it sees it, too.
  return count;
}

void actor_block::put_aside(void* from, const char* message_name) {
  task_core* here = current_context()->current;
  bool is_handler = here == nullptr || here == handler_.load(std::memory_order_relaxed);
  if (!is_handler || current_ == nullptr || current_->table->message_name != message_name) {
    misuse("stash() was given something else than the message that is being handled [A07]");
  }
  if (current_->table->refill == nullptr) {
    misuse(
        "stash() was called by a handler with a reply<T> or interleaved: keep both in a list "
        "[A08]");
  }
  (void)extension();
  current_->table->refill(*current_, from);
  is_put_aside_ = true;
}

void actor_block::take_up_all() noexcept {
  actor_extension* more = extension_if_any();
  if (more == nullptr) return;
  while (!more->put_aside.empty()) {
    more->taken_up.push_back(*more->put_aside.pop_front());
    has_taken_up_ = true;
  }
}

envelope* actor_block::next_taken_up() noexcept {
  message_chain& from = extension_if_any()->taken_up;
  envelope* oldest = from.pop_front();
  has_taken_up_ = !from.empty();
  return oldest;
}

// --- what only some have ---

side_tasks* actor_block::side_if_any() const noexcept {
  actor_extension* more = extension_.load(std::memory_order_acquire);  // <- extension
  return more == nullptr ? nullptr : more->side.get();
}

side_tasks& actor_block::side() {
  actor_extension& more = extension();
  if (more.side == nullptr) more.side = std::make_unique<side_tasks>(*this);
  return *more.side;
}

side_tasks& actor_block::begin_side_task() {
  if (current_actor() != this) {
    misuse(
        "a side task or a timer of an actor was started by a task that is not its own: call "
        "self() in a handler, or in what one awaits [A09]");
  }
  side_tasks& among = side();
  task_core* handler = handler_.load(std::memory_order_relaxed);
  if (handler == nullptr || handler->is_routed()) return among;
  context* turn = current_context();
  if (turn->actor != this) {  // Left alone, or about to be: it has been woken already.
    // The turn that has started it must not take it for routed, nor be queued before its end.
    auto is_left = [this] { return (life_.load(std::memory_order_acquire) & left) != 0; };
    while (!is_left()) pal::spin_hint();
    turn->after_turn = this;  // R5
  }
  handler->route_by_owner();
  return among;
}

actor_extension& actor_block::extension() {
  if (actor_extension* there = extension_if_any()) return *there;
  auto fresh = std::make_unique<actor_extension>();
  actor_extension* there = nullptr;
  if (!extension_.compare_exchange_strong(there, fresh.get(), std::memory_order_seq_cst)) {
    return *there;
  }
  return *fresh.release();  // -> extension_if_any
}

std::string actor_block::name() const {
  actor_extension* more = extension_if_any();
  return more != nullptr && !more->name.empty() ? more->name : class_name();
}

void actor_block::supervise_by(std::unique_ptr<lineage> line) {
  extension().line = std::move(line);
  is_supervised_ = true;
}

}  // namespace troupe::inline v0_1::detail

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"  // Both compilers lay them out in one way.

namespace troupe::inline v0_1::detail {

template <>
struct debug_access<actor_block> {
  using cells = slab<actor_block>;
  static constexpr debug_facts<27> facts{
      debug_format,
      27,
      &cells::there,
      {
          {"cell bytes", sizeof(actor_block)},
          {"chunks", offsetof(cells, chunks_)},
          {"chunk bytes", sizeof(cells::chunk)},
          {"chunk cells", offsetof(cells::chunk, cells)},
          {"chunk made", offsetof(cells::chunk, made)},
          {"mail", offsetof(actor_block, mail_)},
          {"exec", offsetof(actor_block, exec_)},
          {"refs", offsetof(actor_block, refs_)},
          {"taken", offsetof(actor_block, taken_)},
          {"current", offsetof(actor_block, current_)},
          {"table", offsetof(actor_block, table_)},
          {"handler", offsetof(actor_block, handler_)},
          {"extension", offsetof(actor_block, extension_)},
          {"life", offsetof(actor_block, life_)},
          {"generation shift", actor_block::generation_shift},
          {"dead", actor_block::dead},
          {"resting", actor_block::resting},
          {"stop asked", actor_block::stop_asked},
          {"kill asked", actor_block::kill_asked},
          {"mail idle", message_queue::idle},
          {"mail closed", message_queue::closed},
          {"mail address", message_queue::address_mask},
          {"mail next", offsetof(message_link, next)},
          {"class name", offsetof(actor_table, class_name)},
          {"name", offsetof(actor_extension, name)},
          {"message table", offsetof(envelope, table)},
          {"message name", offsetof(envelope_table, message_name)},
      }};
};

}  // namespace troupe::inline v0_1::detail

extern "C" {
[[gnu::used, gnu::retain, gnu::visibility("default")]] constinit auto troupe_debug_actors =
    troupe::detail::debug_access<troupe::detail::actor_block>::facts;
}

#pragma GCC diagnostic pop
