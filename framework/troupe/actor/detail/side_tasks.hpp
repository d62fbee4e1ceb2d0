#pragma once

#include <exception>
#include <utility>

#include <troupe/base/intrusive_list.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/task/core.hpp>

namespace troupe::inline v0_1::detail {

class actor_block;
struct envelope;

class side_tasks;

/// The owner of an actor's timers, for which it does not live.
class timer_tasks final : public task_owner {
public:
  explicit timer_tasks(side_tasks& of) noexcept : among_{of} {}
  void on_child_start(task_core& task) noexcept override;
  void on_child_end(task_core& task) noexcept override;
  [[nodiscard]] actor_block* actor() const noexcept override;
  void route(task_core& ready) noexcept override;
  [[nodiscard]] task_owner* turns_of_children() override;

private:
  side_tasks& among_;
};

/// The tasks of one actor that get their turns from it: side tasks, timers, interleaved handlers,
/// its handler while there are any, and the children of all of these. So they run one at a time.
///
///   R1. A woken task is pushed, and then the actor is notified; the actor's turn takes all.
///   R2. Tasks start and end on the actor's turn; the list is touched there alone.
class side_tasks final : public task_owner {
public:
  explicit side_tasks(actor_block& of) noexcept : actor_{of} {}
  /// Destroys what a runtime's end has left.
  ~side_tasks();

  /// Queues a woken task of the actor. Threads: any.
  void push_ready(task_core& woken) noexcept;

  /// Gives each task that is ready now one turn. Returns: false when there was none.
  bool run_ready() noexcept;

  /// Takes every ready task without running it. Requires: the actor gets no turn any more.
  [[nodiscard]] job* take_ready() noexcept {
    return ready_.exchange(nullptr, std::memory_order_acquire);  // <- push_ready
  }

  [[nodiscard]] bool none_left() const noexcept { return tasks_.empty(); }
  /// Returns: true while one is left that an actor lives for: not only timers.
  [[nodiscard]] bool holds() const noexcept { return holding_ != 0; }
  [[nodiscard]] bool has_error() const noexcept { return error_ != nullptr; }
  void stop_all() noexcept;

  /// Returns: what left one of them first, and forgets it.
  [[nodiscard]] std::exception_ptr take_error() noexcept { return std::exchange(error_, nullptr); }

  // As the owner of plain side tasks.
  void on_child_start(task_core& task) noexcept override;
  void on_child_end(task_core& task) noexcept override;
  [[nodiscard]] actor_block* actor() const noexcept override { return &actor_; }
  void route(task_core& ready) noexcept override { push_ready(ready); }
  [[nodiscard]] task_owner* turns_of_children() override { return this; }

  [[nodiscard]] timer_tasks& timers() noexcept { return timers_; }

  // For timers and interleaved handlers, which have an owner each.
  void hold() noexcept { ++holding_; }
  void let_go() noexcept { --holding_; }
  void link(task_core& task) noexcept {
    task.route_by_owner();
    tasks_.push_back(task.sibling);
  }
  void unlink(task_core& task, std::exception_ptr error) noexcept;

private:
  actor_block& actor_;
  pal::atomic<job*> ready_{nullptr};  // The one woken last, linked by job::next.
  intrusive_list<sibling_link> tasks_;
  std::size_t holding_ = 0;
  timer_tasks timers_{*this};
  std::exception_ptr error_;
};

/// One interleaved handler: a side task with a message.
class interleaved_run final : public task_owner {
public:
  interleaved_run(actor_block& of, side_tasks& among, envelope& handled) noexcept
      : actor_{of}, among_{among}, handled_{handled} {}

  void on_child_start(task_core& task) noexcept override;
  /// Answers, and deletes itself.
  void on_child_end(task_core& task) noexcept override;
  [[nodiscard]] actor_block* actor() const noexcept override { return &actor_; }
  [[nodiscard]] envelope* message() const noexcept override { return &handled_; }
  void route(task_core& ready) noexcept override { among_.push_ready(ready); }
  [[nodiscard]] task_owner* turns_of_children() override { return &among_; }

  /// Ends the message of a handler that was destroyed.
  void abandon() noexcept;

private:
  actor_block& actor_;
  side_tasks& among_;
  envelope& handled_;
};

}  // namespace troupe::inline v0_1::detail
