#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <exception>
#include <functional>
#include <optional>
#include <source_location>
#include <utility>

#include <model/model.hpp>
#include <model/shim/troupe/task/slab.hpp>

// All of a model is one unit, so that a mutant of any of them is compiled in.
#include <troupe/base/memory.cpp>
#include <troupe/task/core.cpp>
#include <troupe/task/executor.hpp>
#include <troupe/task/failure.hpp>
#include <troupe/task/join_handle.hpp>
#include <troupe/task/start.hpp>
#include <troupe/task/task.hpp>

namespace troupe::inline v0_1 {

inline void report_failure(const failure&) noexcept {
  model::check(false, "no task fails without somebody who asks");
}

namespace detail {

// In place of base/block_pool.cpp: what is kept for later would be a leak of the schedule. A frame
// that is used after its end is not as it was.
inline void keep_blocks(bool) noexcept {}
inline void* allocate_block_elsewhere(std::size_t size_bytes) { return allocate(size_bytes); }
inline void free_block_elsewhere(void* block, std::size_t size_bytes) noexcept {
  std::memset(block, 0xdd, size_bytes);
  deallocate(block, size_bytes);
}

}  // namespace detail
}  // namespace troupe::inline v0_1

namespace troupe::model {

/// The tasks of one schedule: their cells, and an executor whose workers are the model's threads.
///
/// A task that is woken goes to the thread that has woken it, which runs it when it has done its
/// own part: no queue stands between them, so nothing but the wake word puts the turns of a task in
/// order. What a worker knows of its turn (`context`) is made once and no part of the model.
class tasks final : public executor {
public:
  static constexpr std::size_t max_threads = detail::slab<detail::task_core>::max_threads;

  tasks() {
    for (auto& each : contexts) {
      each.exec = this;
      each.finished = nullptr;
      each.after_turn = nullptr;
      each.gives_way = false;
    }
    thread_values.add(detail::current_context_pointer);
  }

  tasks(const tasks&) = delete;
  tasks& operator=(const tasks&) = delete;

  /// What is started until aim_no_more() has its first turn on `thread`. For before().
  void aim_at(std::size_t thread) noexcept {
    detail::current_context_pointer = &contexts[thread];
    aim_ = thread;
  }
  void aim_no_more() noexcept { aim_.reset(); }

  /// Starts a task that has its first turn on `thread`. For before().
  template <class F, class... Args>
  detail::task_core& start_on_thread(std::size_t thread, F&& f, Args&&... args) {
    aim_at(thread);
    detail::task_core& started = detail::start_on(*this, nullptr, std::source_location{},
                                                  std::forward<F>(f), std::forward<Args>(args)...);
    aim_no_more();
    return started;
  }

  /// Makes the calling thread a worker, until the schedule's end. To be called by thread().
  static void work_here() noexcept {
    detail::current_context_pointer = &contexts[rl::thread_index()];
  }

  /// Gives their turns to all tasks that the calling thread has woken or started.
  void run_ready() noexcept { run_on(rl::thread_index()); }

  /// The same for those that are `thread`'s. For before() and after(), where all is one thread.
  void run_on(std::size_t thread) noexcept {
    line& mine = lines_[thread];
    while (mine.first != nullptr) {
      job& next = *mine.first;
      mine.first = next.next;
      if (mine.first == nullptr) mine.last = nullptr;
      next.run(next);
    }
  }

  /// Returns: how many tasks have a cell.
  [[nodiscard]] std::size_t alive() const noexcept { return cells_.used(); }

  /// Has `act()` called whenever a job is queued.
  void on_schedule(std::function<void()> act) { on_schedule_ = std::move(act); }

  void schedule(job& ready) noexcept override {
    if (on_schedule_) on_schedule_();
    line& mine = lines_[aim_.value_or(rl::thread_index())];
    ready.next = nullptr;
    (mine.first == nullptr ? mine.first : mine.last->next) = &ready;
    mine.last = &ready;
  }
  void schedule_back(job& ready) noexcept override { schedule(ready); }
  void count_foreign_spawn() noexcept override {}
  [[nodiscard]] pal::clock& clock() const noexcept override { return pal::real_clock(); }

  static inline std::array<detail::context, max_threads> contexts{};

private:
  struct line {
    job* first = nullptr;
    job* last = nullptr;
  };

  detail::slab<detail::task_core> cells_;
  std::array<line, max_threads> lines_;
  std::optional<std::size_t> aim_;
  std::function<void()> on_schedule_;
};

}  // namespace troupe::model
