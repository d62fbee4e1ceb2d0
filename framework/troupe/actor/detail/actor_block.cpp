#include <troupe/actor/detail/actor_block.hpp>

#include <utility>

#include <troupe/base/assert.hpp>
#include <troupe/base/memory.hpp>
#include <troupe/pal/thread.hpp>
#include <troupe/task/context.hpp>
#include <troupe/task/failure.hpp>
#include <troupe/task/stop.hpp>

namespace troupe::detail {

namespace {

// Room goes back in batches of a sixteenth; smaller mailboxes give each back when it is begun.
constexpr std::uint32_t batches = 16;

}  // namespace

actor_block& actor_block::create(executor& exec, const actor_table& table, actor_limits limits) {
  actor_block& made = slab<actor_block>::instance().take();
  made.mail_.reset();
  made.table_ = &table;
  made.capacity_ = limits.capacity;
  made.is_unbounded_ = limits.is_unbounded;
  made.rejects_ = limits.rejects;
  made.begun_ = 0;
  made.exec_.store(&exec, std::memory_order_release);  // -> stop_all
  return made;
}

void* actor_block::make_room(std::size_t size_bytes) {
  if (size_bytes <= inline_state_bytes) return state_ = inline_state_;
  state_ = allocate(size_bytes);
  state_bytes_ = static_cast<std::uint32_t>(size_bytes);
  return state_;
}

void actor_block::begin_life() {
  envelope* first = table_->start_event != nullptr ? table_->start_event() : nullptr;
  std::uint64_t older = refs_.load(std::memory_order_relaxed) >> generation_shift;
  refs_.store((older << generation_shift) | 2, std::memory_order_relaxed);
  life_.store(0, std::memory_order_release);  // -> stop_all
  bool nobody_waits = false;
  if (first != nullptr) {
    (void)mail_.push_reserved(*first);
  } else if (mail_.try_idle(0, nobody_waits)) {
    return;
  }
  exec().schedule_back(*this);
}

void actor_block::abort_birth() noexcept {
  free_extension();
  if (state_bytes_ != 0) deallocate(state_, std::exchange(state_bytes_, 0));
  exec_.store(nullptr, std::memory_order_relaxed);
  slab<actor_block>::instance().give_back(*this);
}

// --- references ---

void actor_block::drop_ref() noexcept {
  auto before = refs_.fetch_sub(1, std::memory_order_acq_rel);  // <-> drop_ref, R3
  auto count = static_cast<std::uint32_t>(before);
  if (count == 1) {
    recycle();
  } else if (count == 2 && mail_.poke()) {
    exec().schedule(*this);  // Only its life is left, as it seems: its own turn will see to it.
  }
}

bool actor_block::try_add_ref(std::uint32_t wanted) noexcept {
  std::uint64_t seen = refs_.load(std::memory_order_relaxed);
  do {
    bool is_gone = static_cast<std::uint32_t>(seen) == 0;
    if (is_gone || static_cast<std::uint32_t>(seen >> generation_shift) != wanted) return false;
  } while (!refs_.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed));
  return true;
}

void actor_block::recycle() noexcept {
  drop_mail();  // What came in past the end, from who had room or a node of its own.
  free_extension();
  exec_.store(nullptr, std::memory_order_relaxed);
  std::uint64_t older = refs_.load(std::memory_order_relaxed) >> generation_shift;
  refs_.store((older + 1) << generation_shift, std::memory_order_release);  // -> try_add_ref
  slab<actor_block>::instance().give_back(*this);
}

// --- stop and kill ---

void actor_block::ask_to_end(std::uint32_t how) noexcept {
  std::uint32_t before = life_.fetch_or(how, std::memory_order_acq_rel);
  if ((before & (how | dead)) != 0) return;
  if (mail_.poke()) exec().schedule(*this);
  if (how == kill_asked) stop_handler();
}

// R2
void actor_block::stop_handler() noexcept {
  std::uint32_t seen = life_.load(std::memory_order_acquire);
  while ((seen & (left | ended)) == left) {
    if ((seen & guarded) != 0) {
      pal::spin_hint();
      seen = life_.load(std::memory_order_acquire);
    } else if (life_.compare_exchange_weak(seen, seen | guarded, std::memory_order_acq_rel,
                                           std::memory_order_acquire)) {
      handler_->request_stop();
      life_.fetch_and(~guarded, std::memory_order_release);  // -> on_child_end
      return;
    }
  }
}

void actor_block::on_child_end(task_core&) noexcept {
  std::uint32_t before = life_.fetch_or(ended, std::memory_order_acq_rel);
  while ((life_.load(std::memory_order_acquire) & guarded) != 0) pal::spin_hint();  // R2
  if ((before & left) != 0) exec().schedule(*this);                                 // R1
}

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
  if (handler_ != nullptr && !go_on_after_handler()) return;
  for (int left_this_turn = mail_per_turn;; --left_this_turn) {
    if (mail_.take_poke() && look_up()) return;
    if (left_this_turn == 0) {
      exec().schedule_back(*this);
      return;
    }
    // Before the mail: what was sent by who dropped the last ref is then seen.
    bool is_unreachable = only_life_is_left();
    envelope* mail = next_mail();
    if (mail != nullptr) {
      if (!run(*mail)) return;
    } else if (is_unreachable) {
      return begin_end(last_words::wanted);
    } else if (try_idle()) {
      return;
    }
  }
}

// Returns: true when it has ended, or is about to.
bool actor_block::look_up() noexcept {
  std::uint32_t seen = life_.load(std::memory_order_acquire);
  if ((seen & (stop_asked | kill_asked)) == 0) return false;
  begin_end((seen & kill_asked) != 0 ? last_words::unwanted : last_words::wanted);
  return true;
}

envelope* actor_block::next_mail() noexcept {
  if (taken_ == nullptr) {
    auto* only = static_cast<envelope*>(mail_.lone());
    bool may_stay = only != nullptr && only->table->is_plain && !only_life_is_left() &&
                    (is_unbounded_ || capacity_ >= batches);
    if (may_stay) {
      is_lone_ = true;
      return only;
    }
    if (!take_more()) return nullptr;
  }
  envelope* oldest = taken_;
  taken_ = static_cast<envelope*>(oldest->next);
  begin_message(*oldest);
  return oldest;
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

void actor_block::begin_message(const envelope& message) noexcept {
  if (is_unbounded_ || !message.table->is_counted) return;
  if (++begun_ * batches < capacity_) return;
  std::uint32_t rooms = std::exchange(begun_, std::uint16_t{0});
  if (mail_.give_back(rooms).wanted) wake_senders(rooms);
}

bool actor_block::try_idle() noexcept {
  bool senders_wait = false;
  std::uint32_t rooms = std::exchange(begun_, std::uint16_t{0});
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
  std::exception_ptr error;
  try {
    if (!message.table->run(*this, message)) {
      std::uint32_t seen = life_.load(std::memory_order_acquire);
      do {
        // While the handler is still ours: after the step it may be another's, and recycled.
        if ((seen & (kill_asked | ended)) == kill_asked) handler_->request_stop();
      } while (!life_.compare_exchange_weak(seen, seen | left, std::memory_order_acq_rel,
                                            std::memory_order_acquire));
      return (seen & ended) != 0 && go_on_after_handler();  // R1
    }
  } catch (...) {
    error = std::current_exception();
  }
  return settle(std::move(error));
}

bool actor_block::go_on_after_handler() noexcept {
  life_.fetch_and(~(left | ended), std::memory_order_relaxed);
  task_core* handler = std::exchange(handler_, nullptr);
  std::exception_ptr error;
  try {
    current_->table->complete(*current_, *handler);
  } catch (...) {
    error = std::current_exception();
  }
  handler->destroy();
  return settle(std::move(error));
}

// What follows a handler. Returns: as run().
bool actor_block::settle(std::exception_ptr error) noexcept {
  bool was_last = (life_.load(std::memory_order_relaxed) & closing) != 0;
  if (!error && !was_last) return conclude(false);
  (void)conclude(true);
  if (was_last) {
    if (error && !is_canceled(error)) report_failure(error, std::source_location{});
    end_life();
    return false;
  }
  if (is_canceled(error)) {  // By kill(), or by the end of the runtime.
    begin_end(last_words::unwanted);
  } else {
    begin_end(last_words::wanted, std::move(error));
  }
  return false;
}

// The end of a message. An answer goes out last: who gets it may free the message, and if the actor
// went to sleep with it, it is another's now. Returns: as run(); after a failure it stays awake.
bool actor_block::conclude(bool failed) noexcept {
  envelope* done = std::exchange(current_, nullptr);
  bool is_mine = true;
  if (std::exchange(is_lone_, false)) {
    bool senders_wait = false;
    std::uint32_t rooms = begun_;
    if (!is_unbounded_ && done->table->is_counted) ++rooms;
    std::uint16_t before = std::exchange(begun_, std::uint16_t{0});
    if (!failed && !only_life_is_left() && mail_.try_idle_after(*done, rooms, senders_wait)) {
      is_mine = false;
      if (senders_wait) wake_senders(rooms);
    } else {
      begun_ = before;
      (void)take_more();  // It is the oldest of what is there.
      taken_ = static_cast<envelope*>(taken_->next);
      begin_message(*done);
    }
  }
  done->table->finish(*done, failed);
  return is_mine;
}

// --- the end ---

void actor_block::begin_end(last_words wish, std::exception_ptr error) noexcept {
  life_.fetch_or(closing, std::memory_order_relaxed);
  envelope* last = nullptr;
  try {
    if (error) extension().error = error;
    bool has_any = wish == last_words::wanted && table_->stop_event != nullptr;
    if (has_any) last = table_->stop_event();
  } catch (...) {  // No memory to keep it in, or for on_stop.
    if (error) report_failure(error, std::source_location{});
  }
  if (mail_.close().senders_wait) wake_senders(SIZE_MAX);
  drop_mail();
  if (last != nullptr) {
    (void)run(*last);  // It ends with settle().
  } else {
    end_life();
  }
}

void actor_block::drop_mail() noexcept {
  do {
    while (taken_ != nullptr) {
      envelope* oldest = std::exchange(taken_, static_cast<envelope*>(taken_->next));
      oldest->table->drop(*oldest, ask_errc::receiver_gone);
    }
    begun_ = 0;  // Nobody waits for room any more.
  } while (take_more());
}

void actor_block::end_life() noexcept {
  drop_mail();
  free_state();
  actor_extension* more = extension_if_any();
  if (more != nullptr && more->error) report_failure(more->error, std::source_location{});
  life_.fetch_or(dead, std::memory_order_release);
  drop_ref();
}

void actor_block::free_state() noexcept {
  table_->destroy(*this);
  if (state_bytes_ != 0) deallocate(state_, std::exchange(state_bytes_, 0));
}

actor_extension& actor_block::extension() {
  if (actor_extension* there = extension_if_any()) return *there;
  auto* fresh = new actor_extension;
  extension_.store(fresh, std::memory_order_release);  // -> extension_if_any
  return *fresh;
}

std::string actor_block::name() const {
  actor_extension* more = extension_if_any();
  return more != nullptr && !more->name.empty() ? more->name : class_name();
}

// --- all of a runtime ---

std::size_t actor_block::stop_all(const executor& exec) noexcept {
  std::size_t found = 0;
  slab<actor_block>::instance().for_each([&](actor_block& each) {
    // A reference holds the block to its tenant while it is asked.
    std::uint32_t tenant = each.generation();
    if (each.exec_.load(std::memory_order_acquire) != &exec) return;
    if ((each.life_.load(std::memory_order_acquire) & dead) != 0) return;
    if (!each.try_add_ref(tenant)) return;
    if (each.exec_.load(std::memory_order_acquire) == &exec) {
      ++found;
      each.stop();
    }
    each.drop_ref();
  });
  return found;
}

void actor_block::abandon_all(const executor& exec) noexcept {
  slab<actor_block>::instance().for_each([&](actor_block& each) {
    if (each.exec_.load(std::memory_order_acquire) != &exec) return;
    if ((each.life_.load(std::memory_order_acquire) & dead) == 0) each.abandon();
  });
}

void actor_block::abandon() noexcept {
  if (handler_ != nullptr) {
    life_.fetch_or(ended, std::memory_order_acq_rel);  // A kill from its own frame finds none.
    std::exchange(handler_, nullptr)->destroy();
  }
  if (mail_.close().senders_wait) wake_senders(SIZE_MAX);  // Tasks of other runtimes.
  mail_.leave_idle();                                      // A late poke schedules nothing.
  if (current_ != nullptr) (void)conclude(true);
  end_life();
}

}  // namespace troupe::detail
