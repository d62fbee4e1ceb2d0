#include <troupe/actor/detail/side_tasks.hpp>

#include <utility>

#include <troupe/actor/detail/actor_block.hpp>
#include <troupe/task/stop.hpp>

namespace troupe::inline v0_1::detail {

side_tasks::~side_tasks() {
  while (sibling_link* left = tasks_.pop_front()) {
    task_owner* owner = left->task().owner();
    left->task().destroy();
    bool has_message = owner != this && owner != &timers_;
    if (has_message) static_cast<interleaved_run*>(owner)->abandon();
  }
}

void side_tasks::push_ready(task_core& woken) noexcept {
  actor_block& owner = actor_;  // This may be gone as soon as the task is in the list.
  job* newest = ready_.load(std::memory_order_relaxed);
  do {
    woken.next = newest;
  } while (!ready_.compare_exchange_weak(newest, &woken, std::memory_order_release,  // -> run_ready
                                         std::memory_order_relaxed));
  if (newest == nullptr) owner.notify();  // Else who pushed that one does, or has done.
}

bool side_tasks::run_ready() noexcept {
  job* newest = ready_.exchange(nullptr, std::memory_order_acquire);  // <- push_ready
  if (newest == nullptr) return false;
  job* oldest = nullptr;
  while (newest != nullptr) {
    job* older = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = older;
  }
  while (oldest != nullptr) {
    job* next = oldest->next;  // Before it runs.
    oldest->run(*oldest);
    oldest = next;
  }
  return true;
}

void side_tasks::stop_all() noexcept {
  tasks_.for_each([](sibling_link& each) { each.task().request_stop(); });
}

void side_tasks::on_child_start(task_core& task) noexcept {
  hold();
  link(task);
  task.works_for(&actor_);
}

void side_tasks::on_child_end(task_core& task) noexcept {
  let_go();
  unlink(task, task.exception());
}

void side_tasks::unlink(task_core& task, std::exception_ptr error) noexcept {
  intrusive_list<sibling_link>::erase(task.sibling);
  if (error && !error_) {
    error_ = std::move(error);
    actor_.notify();
  }
  task.destroy();
}

void timer_tasks::on_child_start(task_core& task) noexcept {
  among_.link(task);
  task.works_for(actor());
}

void timer_tasks::on_child_end(task_core& task) noexcept { among_.unlink(task, task.exception()); }

actor_block* timer_tasks::actor() const noexcept { return among_.actor(); }

void timer_tasks::route(task_core& ready) noexcept { among_.push_ready(ready); }

task_owner* timer_tasks::turns_of_children() { return &among_; }

void interleaved_run::on_child_start(task_core& task) noexcept {
  among_.hold();
  among_.link(task);
  task.works_for(&actor_);
}

void interleaved_run::on_child_end(task_core& task) noexcept {
  std::exception_ptr error;
  try {
    handled_.table->complete(handled_, task);
  } catch (...) {
    error = std::current_exception();
  }
  among_.let_go();
  bool is_failure = error && !is_canceled(error);
  among_.unlink(task, is_failure ? error : nullptr);
  handled_.table->finish(handled_, error ? &error : nullptr);
  delete this;
}

void interleaved_run::abandon() noexcept {
  const std::exception_ptr ended_from_outside;
  handled_.table->finish(handled_, &ended_from_outside);
  delete this;
}

}  // namespace troupe::inline v0_1::detail
