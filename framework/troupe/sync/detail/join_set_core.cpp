#include <troupe/sync/detail/join_set_core.hpp>

#include <memory>

namespace troupe::inline v0_1::detail {

set_member& join_set_core::add() {
  auto fresh = std::make_unique<set_member>();
  pal::lock guard{mutex_};
  running_.push_back(*fresh);
  ++size_;
  owners_.fetch_add(1, std::memory_order_relaxed);
  return *fresh.release();
}

void join_set_core::remove_ended(set_member& failed) noexcept {
  {
    pal::lock guard{mutex_};
    intrusive_list<set_member>::erase(failed);
    --size_;
  }
  delete &failed;
}

set_member* join_set_core::pop_ended() noexcept {
  pal::lock guard{mutex_};
  set_member* first = ended_.pop_front();
  if (first != nullptr) --size_;
  return first;
}

void join_set_core::request_stop() noexcept {
  pal::lock guard{mutex_};
  running_.for_each([](set_member& each) { each.task->request_stop(); });
}

void join_set_core::let_go() noexcept {
  {
    pal::lock guard{mutex_};
    is_gone_ = true;
    running_.for_each([](set_member& each) {
      each.task->request_stop();
      each.task->detach();
    });
  }
  // Outside of the lock: values are destroyed, and failures reported. None comes any more.
  while (set_member* left = ended_.pop_front()) {
    left->task->detach();
    delete left;
  }
  release();
}

std::size_t join_set_core::size() const noexcept {
  pal::lock guard{mutex_};
  return size_;
}

bool join_set_core::is_ready(wanted what) noexcept {
  pal::lock guard{mutex_};
  if (first_not_done(what) != nullptr) return false;
  return running_.empty() || (what == wanted::next && !ended_.empty());
}

bool join_set_core::enlist(wanted what, waker key, task_core*& joined) noexcept {
  pal::lock guard{mutex_};
  if (task_core* ending = first_not_done(what)) {
    joined = ending;
    return ending->join(key);
  }
  if (running_.empty() || (what == wanted::next && !ended_.empty())) return false;
  waiting_ = key;
  return true;
}

// Of the tasks that have told of their end, and whose results are wanted.
task_core* join_set_core::first_not_done(wanted what) noexcept {
  if (ended_.empty()) return nullptr;
  if (what == wanted::next) {
    task_core* first = ended_.front().task;
    return first->done() ? nullptr : first;
  }
  task_core* found = nullptr;
  ended_.for_each([&](set_member& each) {
    if (found == nullptr && !each.task->done()) found = each.task;
  });
  return found;
}

void join_set_core::end(set_member& ended) noexcept {
  waker to_wake;
  {
    pal::lock guard{mutex_};
    intrusive_list<set_member>::erase(ended);
    if (is_gone_) {
      delete &ended;
    } else {
      ended_.push_back(ended);
      to_wake = std::exchange(waiting_, waker{});
    }
  }
  to_wake.wake();
  release();
}

void join_set_core::release() noexcept {
  if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;  // <-> each other
}

}  // namespace troupe::inline v0_1::detail
