// The end of an actor's incarnation, and the beginning of the next.

#include <algorithm>
#include <string>
#include <utility>

#include <troupe/actor/all_actors.hpp>
#include <troupe/actor/detail/actor_block.hpp>
#include <troupe/actor/detail/current.hpp>
#include <troupe/base/assert.hpp>
#include <troupe/base/log.hpp>
#include <troupe/pal/thread.hpp>
#include <troupe/task/failure.hpp>
#include <troupe/task/stop.hpp>

namespace troupe::inline v0_1::detail {

namespace {

void tell_actor(std::string& text) {
  actor_block* of = current_actor();
  if (of == nullptr) return;
  const context& here = *current_context();
  const char* message = here.current == nullptr ? here.handles : here.current->look().handles;
  text += " (in actor " + of->name();
  if (message != nullptr) text += std::string{", handling "} + message;
  text += ')';
}

const turn_teller actor_teller{&tell_actor};

// Of a turn around this one, which is an inner turn then: the tasks that end in this one, on_stop()
// among them, have turns of their own, whose end is not that of the other.
class kept_for_outer_turn {
public:
  kept_for_outer_turn() noexcept
      : here_{*current_context()}, kept_{std::exchange(here_.after_turn, nullptr)} {}
  kept_for_outer_turn(const kept_for_outer_turn&) = delete;
  kept_for_outer_turn& operator=(const kept_for_outer_turn&) = delete;
  ~kept_for_outer_turn() { here_.after_turn = kept_; }

private:
  context& here_;
  job* kept_;
};

// A constructor or a destructor runs, which handles nothing.
void forget_message() noexcept {
  if (context* here = current_context()) here->handles = nullptr;
}

}  // namespace

// What follows a handler. Returns: whether the turn goes on.
bool actor_block::settle(std::exception_ptr error) noexcept {
  bool was_last = phase_ != phase::alive;
  if (!error && !was_last) return conclude(nullptr);
  (void)conclude(error ? &error : nullptr);
  if (was_last) {
    if (error && !is_canceled(error)) report(error);
    phase_ = phase::farewell;
    unwind();
    return false;
  }
  if (is_canceled(error)) {  // By kill(), by restart(), or by the end of the runtime.
    bool is_sibling = (life_.load(std::memory_order_relaxed) & restart_asked) != 0;
    if (side_tasks* side = side_if_any(); side != nullptr && side->has_error()) {
      begin_end(exit_kind::failed, side->take_error());
    } else {
      begin_end(is_sibling ? exit_kind::restarted : exit_kind::killed);
    }
  } else {
    begin_end(exit_kind::failed, std::move(error));
  }
  return false;
}

void actor_block::report(const std::exception_ptr& unseen) noexcept {
  std::string who;
  try {
    who = name();
  } catch (const std::bad_alloc&) {
    // The exception is told without it.
  }
  report_failure({unseen, std::source_location{}, std::move(who)});
}

void actor_block::begin_end(exit_kind kind, std::exception_ptr error) noexcept {
  kept_for_outer_turn kept;
  bool has_started = has_begun_ || table_->start_event == nullptr;
  has_words_ = kind != exit_kind::killed && table_->stop_event != nullptr && has_started;
  if (has_words_) life_.fetch_or(closing, std::memory_order_relaxed);
  try {
    bool is_known = kind == exit_kind::failed || extension_if_any() != nullptr;
    if (is_known) extension().why = exit_reason{kind, error};
  } catch (...) {  // No memory to keep it in.
    if (error) report(error);
  }
  if (is_given_up()) {
    close_mail();
    drop_mail();
  }
  drop_monitors();
  phase_ = phase::unwinding;
  unwind();
}

// Waits until no side task is left, and takes the next step.
void actor_block::unwind() noexcept {
  if (side_tasks* side = side_if_any()) {
    for (int rounds = 0; !side->none_left(); ++rounds) {
      side->stop_all();  // Each time: what is being stopped may start others.
      life_.fetch_and(~news, std::memory_order_acq_rel);
      if (side->run_ready()) {
        if (rounds < mail_per_turn) continue;
        rests_ = true;
        return schedule_turn_back();
      }
      if (rest()) return;
    }
    // The reason is known already; this one only has its line.
    std::exception_ptr late = side->take_error();
    if (late) report(late);
  }
  if (phase_ == phase::unwinding) return say_last_words();
  end_incarnation();
}

void actor_block::say_last_words() noexcept {
  phase_ = phase::farewell;
  envelope* last = nullptr;
  try {
    if (has_words_) last = table_->stop_event();
  } catch (...) {  // No memory: it goes without.
    log(log_level::warning, "no memory to run on_stop");
  }
  if (last == nullptr) return end_incarnation();
  (void)run(*last);  // It ends with settle().
}

void actor_block::end_incarnation() noexcept {
  drop_monitors();  // Those of on_stop.
  free_state();
  if (is_given_up()) return end_life();
  pause();
}

// --- with a supervisor ---

// Its state is gone; its mail stays, and waits with it for the verdict.
void actor_block::pause() noexcept {
  phase_ = phase::paused;
  take_up_all();
  await_verdict();
  if (hear_verdict()) schedule_turn_back();
}

void actor_block::await_verdict() noexcept {
  life_.fetch_and(~(stop_asked | kill_asked | restart_asked | closing), std::memory_order_relaxed);
  actor_extension& more = *extension_if_any();
  if (more.line->comes_back_after(more.why)) announce_restart(more.why);
  tell_supervisor();
}

// Returns: whether the turn goes on, with mail.
bool actor_block::hear_verdict() noexcept {
  for (;;) {
    // A restart that was asked for after the rebuild is for the next incarnation.
    std::uint32_t seen = life_.fetch_and(~(news | rebuild_asked), std::memory_order_acq_rel);
    if ((seen & given_up) != 0) {
      end_life();
      return false;
    }
    if ((seen & rebuild_asked) != 0) {
      if (begin_anew()) return true;
      await_verdict();
    } else if (rest()) {
      return false;
    }
  }
}

// Returns: false when its constructor has failed.
bool actor_block::begin_anew() noexcept {
  actor_extension& more = *extension_if_any();
  envelope* first = nullptr;
  try {
    if (table_->start_event != nullptr) first = table_->start_event();
    forget_message();
    more.line->construct(*this);
  } catch (...) {
    if (first != nullptr) drop(*first);
    drop_room();
    more.why = exit_reason{exit_kind::failed, std::current_exception()};
    return false;
  }
  phase_ = phase::alive;
  has_begun_ = false;
  ++more.incarnation;
  if (first != nullptr) {
    more.taken_up.push_front(*first);
    has_taken_up_ = true;
  }
  remind();
  return true;
}

// What was asked for while nobody could look is looked at by the turn.
void actor_block::remind() noexcept {
  life_.fetch_or(news, std::memory_order_relaxed);
  void* no_keeper = nullptr;
  (void)mail_.poke(no_keeper);  // It does not sleep: this is its turn.
}

void actor_block::tell_supervisor() noexcept {
  lineage& line = *extension_if_any()->line;
  if (!line.parent->try_add_ref(line.parent_generation)) {
    life_.fetch_or(given_up | news, std::memory_order_relaxed);
    return;
  }
  add_ref();  // Of the notice: it lies in this actor's extension.
  line.parent->push_or_drop(line.notice);
  line.parent->drop_ref();
}

// --- for good ---

void actor_block::close_mail() noexcept {
  if (!mail_.is_closed() && mail_.close().senders_wait) wake_senders(SIZE_MAX);
}

void actor_block::drop_mail() noexcept {
  take_up_all();
  do {
    while (has_taken_up_) drop(*next_taken_up());
    while (taken_ != nullptr) {
      drop(*std::exchange(taken_, static_cast<envelope*>(taken_->next)));
    }
    begun_ = 0;  // Nobody waits for room any more.
  } while (take_more());
}

void actor_block::drop(envelope& unrun) noexcept {
  unrun.table->drop(unrun, ask_errc::receiver_gone);
}

void actor_block::end_life() noexcept {
  close_mail();
  drop_mail();
  if (actor_extension* more = extension_if_any()) {
    more->children.reset();
    if (more->why.error && !is_supervised_ && !more->is_known) {
      report(more->why.error);
    }
  }
  life_.fetch_or(dead, std::memory_order_seq_cst);  // <-> watch
  tell_watchers();
  drop_ref();
}

// All steps of an end in one, for an actor that nobody has a reference to and that nobody could be
// told of: a third of their locked operations. Returns: false when it has to take them one by one.
bool actor_block::end_unseen() noexcept {
  bool is_plain = extension_if_any() == nullptr && table_->stop_event == nullptr && !is_pinned_;
  bool is_idle = phase_ == phase::alive && taken_ == nullptr && mail_.has_none();
  if (!is_plain || !is_idle || life_.load(std::memory_order_acquire) != 0) return false;
  std::uint64_t last = refs_.load(std::memory_order_acquire);  // <- drop_ref
  if (static_cast<std::uint32_t>(last) != 1) return false;
  if (!refs_.compare_exchange_strong(last, last - 1 + leaving, std::memory_order_acq_rel))
    return false;  // R3
  // Somebody may have had one in between, of those who walk over all actors.
  if (life_.load(std::memory_order_relaxed) != 0 || !mail_.has_none()) {
    refs_.store(last, std::memory_order_release);
    return false;
  }
  mail_.reset_closed();
  life_.store(dead, std::memory_order_relaxed);
  free_state();
  // Its destructor may have given addresses of the actor away; mostly there are none.
  bool is_free = refs_.load(std::memory_order_acquire) == last - 1 + leaving;  // <- drop_ref
  if (!is_free) {
    std::uint64_t before = refs_.fetch_sub(leaving, std::memory_order_acq_rel);  // <-> drop_ref
    is_free = static_cast<std::uint32_t>(before) == leaving;
  }
  if (is_free) recycle();
  return true;
}

void actor_block::tell_watchers() noexcept {
  actor_extension* more = extension_if_any();  // After `dead`: watch R2.
  if (more == nullptr) return;
  pal::lock guard{watch_lock(*this)};
  more->watchers.for_each([&](watcher& each) {
    intrusive_list<watcher>::erase(each);
    each.is_linked = false;
    each.told(each, more->why, false);
  });
}

void actor_block::announce_restart(const exit_reason& why) noexcept {
  actor_extension* more = extension_if_any();
  if (more == nullptr) return;
  pal::lock guard{watch_lock(*this)};
  more->watchers.for_each([&](watcher& each) { each.told(each, why, true); });
}

// Its own monitors and links: nothing that it watches is of interest any more.
void actor_block::drop_monitors() noexcept {
  actor_extension* more = extension_if_any();
  if (more == nullptr) return;
  more->monitors.for_each([](monitor_place& each) { each.node->end(); });
}

void actor_block::free_state() noexcept {
  if (!has_state_) return;
  forget_message();
  table_->destroy(*this);
  drop_room();
}

// --- all of a runtime ---

std::vector<actor_block*> actor_block::all_unsupervised(const executor& exec) {
  std::vector<actor_block*> found;
  slab<actor_block>::instance().for_each([&](actor_block& each) {
    // A reference holds the block to its tenant while it is looked at.
    std::uint32_t tenant = each.generation();
    if (each.exec_.load(std::memory_order_acquire) != &exec || each.is_dead()) return;
    if (!each.try_add_ref(tenant)) return;
    bool is_wanted = each.exec_.load(std::memory_order_acquire) == &exec && !each.is_supervised_;
    if (is_wanted) {
      try {
        found.push_back(&each);
      } catch (...) {
        each.drop_ref();
        for (actor_block* other : found) other->drop_ref();
        throw;
      }
    } else {
      each.drop_ref();
    }
  });
  std::sort(found.begin(), found.end(), [](const actor_block* a, const actor_block* b) {
    auto distance = static_cast<std::int32_t>(a->started_.load(std::memory_order_relaxed) -
                                              b->started_.load(std::memory_order_relaxed));
    return distance > 0;
  });
  return found;
}

std::string actor_block::name_seen() {
  // A reference holds its name while it is read.
  if (!try_add_ref(generation())) return "?";
  struct last_step {
    actor_block& seen;
    ~last_step() { seen.drop_ref(); }
  } last{*this};
  return name();
}

std::vector<actor_sight> actor_block::look_at_all(const executor& exec) {
  std::vector<actor_sight> found;
  for_each_living(exec, [&](actor_block& each) {
    actor_sight seen;
    seen.block = &each;
    seen.name = each.name_seen();
    seen.class_name = each.class_name();
    seen.mail = each.mail_.count();
    seen.capacity = each.capacity();
    if (task_core* handler = each.handler()) {
      task_core::record wait = handler->look();
      seen.awaits = wait.awaited;
      seen.handles = wait.works_for == &each ? wait.handles : nullptr;
      seen.waits_for = wait.suspended ? wait.what : nullptr;
      seen.waits_at = wait.where;
    }
    found.push_back(std::move(seen));
  });
  return found;
}

bool actor_block::retire(job& turn) noexcept {
  if (turn.run != &run_turn) return false;
  auto& actor = static_cast<actor_block&>(turn);
  actor.life_.fetch_or(retired, std::memory_order_relaxed);
  return true;
}

bool actor_block::retire_waiting(const executor& exec) noexcept {
  bool all_retired = true;
  for_each_living(exec, [&](actor_block& each) {
    if (!each.retire_asleep()) all_retired = false;
  });
  return all_retired;
}

// Returns: false when it is queued, or a thread that has woken it is about to do that.
bool actor_block::retire_asleep() noexcept {
  std::uint32_t seen = life_.load(std::memory_order_acquire);
  if ((seen & retired) != 0) return true;
  bool was_resting = (life_.fetch_and(~resting, std::memory_order_acq_rel) & resting) != 0;
  bool waits_for_handler = (seen & (left | ended)) == left;
  // A keeper has stopped: it is in no actor.
  if (!mail_.leave_idle() && !was_resting && !waits_for_handler) return false;
  life_.fetch_or(retired, std::memory_order_relaxed);
  return true;
}

void actor_block::abandon_all(const executor& exec) noexcept {
  for_each_living(exec, [](actor_block& each) { each.abandon(); });
}

void actor_block::abandon() noexcept {
  if (task_core* handler = handler_.load(std::memory_order_relaxed)) {
    life_.fetch_or(ended, std::memory_order_acq_rel);  // A kill from its own frame finds none.
    while ((life_.load(std::memory_order_acquire) & guarded) != 0) pal::spin_hint();  // R2
    handler_.store(nullptr, std::memory_order_relaxed);
    handler->destroy();
  }
  close_mail();  // Tasks of other runtimes wait for room.
  actor_extension* more = extension_if_any();
  if (more != nullptr) {
    more->side.reset();
    more->why = exit_reason{exit_kind::abandoned};
  }
  const std::exception_ptr ended_from_outside;
  if (current_ != nullptr) (void)conclude(&ended_from_outside);
  drop_monitors();
  free_state();
  end_life();
}

// --- small parts ---

lineage::lineage(actor_block& child, actor_block& supervisor, child_kind how) noexcept
    : notice{child}, kind{how}, parent{&supervisor}, parent_generation{supervisor.generation()} {}

family::~family() {
  for (auto each = children_.rbegin(); each != children_.rend(); ++each) {
    each->block->give_up_now();
    each->block->drop_ref();
  }
}

family::child* family::find(const actor_block& block) noexcept {
  auto at = std::find_if(children_.begin(), children_.end(),
                         [&](const child& each) { return each.block == &block; });
  return at == children_.end() ? nullptr : &*at;
}

void family::forget(actor_block& block) noexcept {
  child* found = find(block);
  if (found == nullptr) return;
  children_.erase(children_.begin() + (found - children_.data()));
  block.drop_ref();
}

}  // namespace troupe::inline v0_1::detail
