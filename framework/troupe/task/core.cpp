#include <troupe/task/core.hpp>

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <new>
#include <utility>
#include <vector>

#include <troupe/base/assert.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/task/failure.hpp>
#include <troupe/task/stop.hpp>

namespace troupe {

detail::task_core* waker::claim() const noexcept {
  if (bits_ == 0) return nullptr;
  constexpr std::uint64_t address_mask = (std::uint64_t{1} << address_bits) - 1;
  auto* task = reinterpret_cast<detail::task_core*>(bits_ & address_mask);
  return task->try_wake(static_cast<std::uint16_t>(bits_ >> address_bits)) ? task : nullptr;
}

bool waker::wake() const noexcept {
  detail::task_core* task = claim();
  if (task != nullptr) task->schedule();
  return task != nullptr;
}

namespace detail {

/// All task cells of the process. Cells are never unmapped (task_core R4), so that late wakers and
/// walkers are safe; each thread keeps some free ones at hand, linked by job::next. Chunks are
/// large and ask for huge pages: a burst of a million tasks then costs a hundred page faults
/// instead of fifty thousand.
class core_slab {
public:
  static core_slab& instance() {
    static auto* slab = new core_slab;  // Never destroyed: threads may end after statics.
    return *slab;
  }

  task_core& take() {
    cache& mine = local();
    if (mine.first == nullptr) refill(mine);
    task_core* cell = mine.first;
    mine.first = static_cast<task_core*>(cell->next);
    --mine.count;
    // In a burst of spawns the next cell is often in no cache.
    __builtin_prefetch(mine.first, 1);
    auto address = reinterpret_cast<std::uintptr_t>(mine.first);  // Null too: no pointer to add to.
    __builtin_prefetch(reinterpret_cast<const char*>(address + cache_line_bytes), 1);
    return *cell;
  }

  void give_back(task_core& cell) noexcept {
    cache& mine = local();
    cell.next = mine.first;
    mine.first = &cell;
    if (++mine.count >= 2 * batch) return_batch(mine, batch);
  }

  void for_each(void (*visit)(void*, task_core&), void* argument) {
    std::vector<chunk> seen;
    {
      pal::lock guard{mutex_};
      seen = chunks_;
    }
    for (const chunk& each : seen) {
      for (std::size_t i = 0; i < each.made; ++i) visit(argument, each.cells[i]);
    }
  }

private:
  static constexpr std::size_t batch = 64;
  static constexpr std::size_t chunk_bytes = std::size_t{1} << 21;  // One huge page.
  static constexpr std::size_t chunk_cells = chunk_bytes / sizeof(task_core);

  struct chunk {
    task_core* cells;
    std::size_t made;  // Constructed so far, from the front.
  };

  struct cache {
    task_core* first = nullptr;
    std::size_t count = 0;
    ~cache() {
      if (count > 0) core_slab::instance().return_batch(*this, count);
    }
  };

  static cache& local() {
    static thread_local cache mine;
    return mine;
  }

  void refill(cache& mine) {
    pal::lock guard{mutex_};
    if (!free_batches_.empty()) {
      mine.first = free_batches_.back().first;
      mine.count = free_batches_.back().count;
      free_batches_.pop_back();
      return;
    }
    if (chunks_.empty() || chunks_.back().made == chunk_cells) add_chunk();
    chunk& newest = chunks_.back();
    for (; mine.count < batch && newest.made < chunk_cells; ++mine.count) {
      auto* cell = new (&newest.cells[newest.made++]) task_core;
      cell->next = std::exchange(mine.first, cell);
    }
  }

  void add_chunk() {
    chunks_.push_back({nullptr, 0});
    void* raw = std::aligned_alloc(chunk_bytes, chunk_bytes);
    if (raw == nullptr) {
      chunks_.pop_back();
      throw std::bad_alloc{};
    }
    if (chunks_.size() > 1) ::madvise(raw, chunk_bytes, MADV_HUGEPAGE);  // A wish; may fail.
    chunks_.back().cells = static_cast<task_core*>(raw);
  }

  void return_batch(cache& mine, std::size_t count) noexcept {
    task_core* first = mine.first;
    job* last = first;
    for (std::size_t i = 1; i < count; ++i) last = last->next;
    mine.first = static_cast<task_core*>(last->next);
    mine.count -= count;
    last->next = nullptr;
    pal::lock guard{mutex_};
    free_batches_.push_back({first, count});
  }

  struct cache_batch {
    task_core* first = nullptr;
    std::size_t count = 0;
  };

  pal::mutex mutex_;
  std::vector<chunk> chunks_;
  std::vector<cache_batch> free_batches_;
};

task_core& task_core::create(executor& exec, std::source_location spawned_at) {
  task_core& cell = core_slab::instance().take();
  cell.join_.store(0, std::memory_order_relaxed);
  cell.what_.store(nullptr, std::memory_order_relaxed);
  cell.spawned_at_.store(spawned_at, std::memory_order_relaxed);
  cell.exec_.store(&exec, std::memory_order_release);  // -> visit_live
  return cell;
}

void task_core::start(std::coroutine_handle<> body, task_owner* owner) noexcept {
  body_ = body;
  owner_ = owner;
  if (owner != nullptr) owner->on_child_start(*this);
  suspend_at(body, nullptr);
  context* here = current_context();
  if (here != nullptr && here->exec == &exec()) {
    here->spawned.increment();
  } else {
    exec().count_foreign_spawn();
  }
  exec().schedule_back(*this);
}

void task_core::run_turn(job& self) noexcept {
  auto& task = static_cast<task_core&>(self);
  context* here = current_context();
  here->begin_turn(&task);
  if (task.pending_ != nullptr && !task.pending_->on_wake()) {
    here->current = nullptr;
    return;  // R5
  }
  task.resume_.resume();
  here->current = nullptr;
  if (here->finished != nullptr) {
    // Only the root of this very task can have set it: a turn resumes nothing else.
    here->finished = nullptr;
    here->ended.increment();
    task.finish();
  }
}

void task_core::finish() noexcept {
  settle_(*this);
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
                                       std::memory_order_acquire);                      // <- finish
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
  if (std::exception_ptr error = exception()) report_failure(error, spawned_at());
  destroy();
}

std::exception_ptr task_core::exception() const noexcept {
  if (!error_) return nullptr;
  try {
    std::rethrow_exception(error_);
  } catch (const troupe::canceled&) {
    return nullptr;  // A stop that was asked for is no failure.
  } catch (...) {
    return error_;
  }
}

void task_core::destroy() noexcept {
  destroy_body();
  error_ = nullptr;
  // A new epoch for the next tenant, without the stop bit: late wakers miss (R3, R4).
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  word_.store((word & ~(next_epoch - 1)) + next_epoch, std::memory_order_relaxed);
  exec_.store(nullptr, std::memory_order_release);
  core_slab::instance().give_back(*this);
}

void task_core::request_stop() noexcept {
  while (!try_stop(word_.load(std::memory_order_relaxed))) {
  }
}

void task_core::request_stop_on(const executor& exec) noexcept {
  for (;;) {
    // The end of a task changes the epoch: a cell that has a new tenant fails the step.
    std::uint64_t seen = word_.load(std::memory_order_acquire);
    if (exec_.load(std::memory_order_acquire) != &exec) return;
    if (try_stop(seen)) return;
  }
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
  std::uint64_t seen = word_.load(std::memory_order_acquire);
  for (;;) {
    if ((seen & retired) != 0) return true;
    if ((seen & (waiting | shielded)) == 0) return false;
    std::uint64_t out_of_reach = ((seen & ~(waiting | shielded)) + next_epoch) | retired;
    if (word_.compare_exchange_weak(seen, out_of_reach, std::memory_order_acq_rel,  // <-> try_wake
                                    std::memory_order_acquire)) {
      return true;
    }
  }
}

void task_core::visit_live(const executor& exec, void (*visit)(void*, task_core&, const record&),
                           void* argument) {
  struct arguments {
    const executor* exec;
    void (*visit)(void*, task_core&, const record&);
    void* argument;
  } all{&exec, visit, argument};
  core_slab::instance().for_each(
      [](void* raw, task_core& task) {
        auto& wanted = *static_cast<arguments*>(raw);
        if (task.exec_.load(std::memory_order_acquire) != wanted.exec) return;  // <- create
        bool suspended = (task.word_.load(std::memory_order_relaxed) & (waiting | shielded)) != 0;
        wanted.visit(wanted.argument, task,
                     record{task.what_.load(std::memory_order_relaxed),
                            task.where_.load(std::memory_order_relaxed), task.spawned_at(),
                            suspended, task.sequence_.load(std::memory_order_relaxed)});
      },
      &all);
}

}  // namespace detail

bool stop_requested() noexcept {
  detail::context* here = detail::current_context();
  return here != nullptr && here->current != nullptr && here->current->stop_requested();
}

}  // namespace troupe
