#include <troupe/task/core.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <utility>

#include <troupe/base/assert.hpp>
#include <troupe/task/debug_facts.hpp>
#include <troupe/task/failure.hpp>
#include <troupe/task/slab.hpp>
#include <troupe/task/stop.hpp>

namespace troupe::inline v0_1 {

detail::task_core* waker::claim() const noexcept {
  if (bits_ == 0) return nullptr;
  detail::task_core* cell = task();
  return cell->try_wake(static_cast<std::uint16_t>(bits_ >> address_bits)) ? cell : nullptr;
}

bool waker::wake() const noexcept {
  detail::task_core* task = claim();
  if (task != nullptr) task->schedule();
  return task != nullptr;
}

namespace detail {

// Whose tasks are not routed need not say how.
void task_owner::route(task_core&) noexcept { TROUPE_ASSERT(false); }

task_core& task_core::create(executor& exec, task_origin origin) {
  task_core& cell = slab<task_core>::instance().take();
  cell.join_.store(0, std::memory_order_relaxed);
  cell.origin_.store(origin, std::memory_order_relaxed);
  cell.exec_.store(&exec, std::memory_order_release);  // -> visit_live
  return cell;
}

void task_core::give_owner(task_owner* owner) noexcept {
  owner_ = owner;
  if (owner != nullptr) owner->on_child_start(*this);
}

void task_core::queue_first_turn() noexcept {
  context* here = current_context();
  if (here != nullptr && here->exec == &exec()) {
    here->spawned.increment();
  } else {
    exec().count_foreign_spawn();
  }
  schedule_back();
}

void task_core::start(std::coroutine_handle<> body, task_owner* owner) noexcept {
  take_body(body);
  give_owner(owner);
  queue_first_turn();
}

void task_core::start_later(step_function begin, task_owner* owner) noexcept {
  step_ = begin;
  suspend_at(nullptr, nullptr);
  give_owner(owner);
  queue_first_turn();
}

void task_core::start_here(std::coroutine_handle<> body, task_owner& owner) noexcept {
  take_body(body);
  give_owner(&owner);
  current_context()->spawned.increment();
  run_turn(*this);
}

void task_core::run_turn(job& self) noexcept {
  auto& task = static_cast<task_core&>(self);
  context* here = current_context();
  here->begin_turn(&task);
  if (task.pending_ != nullptr && !task.pending_->on_wake()) {
    here->current = nullptr;
    return;  // R5
  }
  if (!task.resume_) task.step_(task);
  bool has_ended = !task.resume_;
  if (!has_ended) {
    task.resume_.resume();
    // Only the root of this very task can have set it: a turn resumes nothing else.
    has_ended = std::exchange(here->finished, nullptr) != nullptr;
    if (has_ended) task.step_(task);  // What its frame has held ends within its turn.
  }
  here->current = nullptr;
  if (has_ended) {
    here->ended.increment();
    task.step_ = nullptr;
    task.finish();
  }
  if (here->after_turn != nullptr) here->exec->schedule(*std::exchange(here->after_turn, nullptr));
}

void task_core::finish() noexcept {
  if (owner_ != nullptr) {
    owner_->on_child_end(*this);
    return;
  }
  tell_handle();
}

void task_core::abandon() noexcept {
  destroy_body();
  keep_error(std::make_exception_ptr(canceled{}));
  tell_handle();
}

void task_core::tell_handle() noexcept {
  // Nobody touches a detached task any more.
  if (join_.load(std::memory_order_acquire) == joined_detached) return release();  // <- detach
  std::uint64_t seen = join_.exchange(joined_done, std::memory_order_acq_rel);  // -> done, detach
  if (seen == joined_detached) {
    release();
  } else if (seen != 0) {
    waker::from_bits(seen).wake();
  }
}

bool task_core::join(waker who) noexcept {
  std::uint64_t running = 0;
  return join_.compare_exchange_strong(running, who.bits(), std::memory_order_release,  // -> finish
                                       std::memory_order_relaxed);
}

void task_core::leave() noexcept {
  std::uint64_t seen = join_.load(std::memory_order_relaxed);
  if (seen == 0 || seen == joined_done) return;
  join_.compare_exchange_strong(seen, 0, std::memory_order_relaxed);  // Fails when it has ended.
}

void task_core::detach() noexcept {
  std::uint64_t running = 0;
  if (!join_.compare_exchange_strong(running, joined_detached,
                                     std::memory_order_release,     // -> finish
                                     std::memory_order_acquire)) {  // <- finish
    release();
  }
}

void task_core::release() noexcept {
  if (error_) {  // Mostly not: nothing is copied then.
    if (std::exception_ptr error = exception()) report_failure({error, spawned_at()});
  }
  destroy();
}

std::exception_ptr task_core::exception() const noexcept {
  return error_ && !is_canceled(error_) ? error_ : nullptr;
}

void task_core::destroy() noexcept {
  destroy_body();
  error_ = nullptr;
  clear_alarm();
  if (std::exchange(is_far_used_, false)) {
    what_.store(nullptr, std::memory_order_relaxed);
    awaited_.store(nullptr, std::memory_order_relaxed);
    works_for_.store(nullptr, std::memory_order_relaxed);
  }
  exec_.store(nullptr, std::memory_order_relaxed);
  // A new epoch for the next tenant, without the stop bit: late wakers miss (R3, R4).
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  word_.store((word & ~(next_epoch - 1)) + next_epoch,
              std::memory_order_release);  // -> request_stop_on
  slab<task_core>::instance().give_back(*this);
}

void task_core::nudge() noexcept {
  std::uint64_t seen = word_.load(std::memory_order_relaxed);
  for (;;) {
    // Written even where nothing changes: the task's next step on the word, or its last, is then
    // in order with this, and what was done before the nudge is seen at its next look.
    bool sleeps = (seen & (waiting | shielded)) != 0;
    std::uint64_t woken = sleeps ? (seen & ~(waiting | shielded)) + next_epoch : seen | notified;
    if (!word_.compare_exchange_weak(seen, woken, std::memory_order_acq_rel,  // <-> commit_wait
                                     std::memory_order_relaxed)) {
      continue;
    }
    if (sleeps) schedule();
    return;
  }
}

void task_core::request_stop() noexcept {
  while (!try_stop(word_.load(std::memory_order_relaxed))) {
  }
}

void task_core::request_stop_on(const executor& exec) noexcept {
  for (;;) {
    // The end of a task changes the epoch: a cell that has a new tenant fails the step.
    std::uint64_t seen = word_.load(std::memory_order_acquire);  // <- destroy
    if (exec_.load(std::memory_order_relaxed) != &exec) return;
    if (try_stop(seen)) return;
  }
}

void task_core::stop_all_of(const executor& exec) noexcept {
  auto& cells = slab<task_core>::instance();
  cells.for_each([&](task_core& each) {
    for (;;) {
      std::uint64_t seen = each.word_.load(std::memory_order_acquire);  // <- destroy
      if (each.exec_.load(std::memory_order_relaxed) != &exec) return;
      if (each.word_.compare_exchange_weak(seen, seen | chosen, std::memory_order_relaxed)) return;
    }
  });
  cells.for_each([&](task_core& each) {
    for (;;) {
      std::uint64_t seen = each.word_.load(std::memory_order_acquire);  // <- destroy
      // Another runtime's may be chosen too, whose walk still goes on; the next tenant is not.
      bool is_ours = each.exec_.load(std::memory_order_relaxed) == &exec;
      if (!is_ours || (seen & chosen) == 0 || each.try_stop(seen)) return;
    }
  });
}

// Returns: false when the word was not `seen` any more.
bool task_core::try_stop(std::uint64_t seen) noexcept {
  if ((seen & stop) != 0) return true;
  bool sleeps = (seen & waiting) != 0;
  std::uint64_t stopped = sleeps ? (seen & ~waiting) + next_epoch + stop : seen | stop;
  if (!word_.compare_exchange_strong(seen, stopped, std::memory_order_acq_rel,  // <-> commit_wait
                                     std::memory_order_relaxed)) {
    return false;
  }
  if (sleeps) schedule();
  return true;
}

bool task_core::retire_suspended() noexcept {
  std::uint64_t seen = word_.load(std::memory_order_relaxed);
  for (;;) {
    if ((seen & retired) != 0) return true;
    if ((seen & (waiting | shielded)) == 0) return false;
    std::uint64_t out_of_reach = ((seen & ~(waiting | shielded)) + next_epoch) | retired;
    if (word_.compare_exchange_weak(seen, out_of_reach, std::memory_order_relaxed,
                                    std::memory_order_relaxed)) {
      return true;
    }
  }
}

bool task_core::ring_alarms(const executor& exec, std::uint32_t sweep) noexcept {
  bool any = false;
  slab<task_core>::instance().for_each([&](task_core& task) {
    std::uint32_t at = task.alarm_.load(std::memory_order_relaxed);
    if (at == 0 || task.exec_.load(std::memory_order_relaxed) != &exec) return;
    any = true;
    if (static_cast<std::int32_t>(sweep - at) >= 0) task.nudge();
  });
  return any;
}

void task_core::visit_live(const executor& exec, void (*visit)(void*, task_core&, const record&),
                           void* argument) {
  slab<task_core>::instance().for_each([&](task_core& task) {
    if (task.exec_.load(std::memory_order_acquire) != &exec) return;  // <- create
    visit(argument, task, task.look());
  });
}

bool task_core::is_free() const noexcept {
  return exec_.load(std::memory_order_relaxed) == nullptr;
}

task_core::record task_core::look() const noexcept {
  record seen{};
  seen.what = what_.load(std::memory_order_relaxed);
  seen.where = where_.load(std::memory_order_relaxed);
  task_origin origin = origin_.load(std::memory_order_relaxed);
  seen.spawned_at = origin.spawned_at();
  seen.handles = origin.handles();
  seen.suspended = present_wait() != 0;
  seen.works_for = works_for_.load(std::memory_order_acquire);  // <- works_for
  seen.awaited = awaited();
  return seen;
}

}  // namespace detail

bool is_canceled(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const canceled&) {
    return true;
  } catch (...) {
    return false;
  }
}

bool stop_requested() noexcept {
  detail::context* here = detail::current_context();
  return here != nullptr && here->current != nullptr && here->current->stop_requested();
}

}  // namespace troupe::inline v0_1

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"  // Both compilers lay them out in one way.

namespace troupe::inline v0_1::detail {

task_core& sibling_link::task() noexcept {
  std::byte* bytes = reinterpret_cast<std::byte*>(this);
  return *reinterpret_cast<task_core*>(bytes - offsetof(task_core, sibling));
}

template <>
struct debug_access<task_core> {
  using cells = slab<task_core>;
  static constexpr debug_facts<17> facts{debug_format,
                                         17,
                                         &cells::there,
                                         {
                                             {"cell bytes", sizeof(task_core)},
                                             {"chunks", offsetof(cells, chunks_)},
                                             {"chunk bytes", sizeof(cells::chunk)},
                                             {"chunk cells", offsetof(cells::chunk, cells)},
                                             {"chunk made", offsetof(cells::chunk, made)},
                                             {"word", offsetof(task_core, word_)},
                                             {"exec", offsetof(task_core, exec_)},
                                             {"join", offsetof(task_core, join_)},
                                             {"origin", offsetof(task_core, origin_)},
                                             {"what", offsetof(task_core, what_)},
                                             {"where", offsetof(task_core, where_)},
                                             {"awaited", offsetof(task_core, awaited_)},
                                             {"waiting", task_core::waiting},
                                             {"shielded", task_core::shielded},
                                             {"stop", task_core::stop},
                                             {"done", task_core::joined_done},
                                             {"detached", task_core::joined_detached},
                                         }};
};

}  // namespace troupe::inline v0_1::detail

extern "C" {
[[gnu::used, gnu::retain, gnu::visibility("default")]] constinit auto troupe_debug_tasks =
    troupe::detail::debug_access<troupe::detail::task_core>::facts;
}

#pragma GCC diagnostic pop
