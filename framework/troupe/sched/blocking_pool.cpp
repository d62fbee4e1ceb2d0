#include <troupe/sched/blocking_pool.hpp>

#include <algorithm>
#include <utility>

#include <troupe/base/assert.hpp>
#include <troupe/sched/scheduler.hpp>

namespace troupe::inline v0_1 {

namespace {
constexpr std::chrono::seconds idle_life{10};
}

blocking_pool::~blocking_pool() {
  pal::lock guard{mutex_};
  stopping_ = true;
  auto dropped = std::move(queue_);
  guard.unlock();
  dropped.clear();  // Its captures may have ends of their own.
  if (owner_.simulated() != nullptr) owner_.simulated()->end_blocking();
  guard.lock();
  changed_.notify_all();
  changed_.wait(guard, [this] { return threads_ == 0; });
}

void blocking_pool::submit(std::function<void()> work, std::source_location where) {
  auto fresh = std::make_unique<piece>();
  fresh->work = std::move(work);
  fresh->where = where;
  pal::lock guard{mutex_};
  queue_.push_back(std::move(fresh));
  owner_.add_guard();
  if (owner_.simulated() != nullptr) {
    owner_.simulated()->run_blocking(
        [this, chosen = queue_.back().get()] { run_simulated(*chosen); });
    return;
  }
  if (idle_ >= queue_.size()) {
    changed_.notify_one();
    return;
  }
  if (threads_ == max_threads_) return;
  try {
    pal::thread{[this] { run_thread(); }}.detach();
    ++threads_;
  } catch (...) {
    if (threads_ > 0) return;  // The others will get to it.
    queue_.pop_back();
    owner_.remove_guard();
    throw;
  }
}

void blocking_pool::after_each(void (*act)() noexcept) noexcept {
  pal::lock guard{mutex_};
  after_each_ = act;
}

std::size_t blocking_pool::pending() const noexcept {
  pal::lock guard{mutex_};
  return running_ + queue_.size();
}

std::vector<std::source_location> blocking_pool::places() const {
  std::vector<std::source_location> found;
  pal::lock guard{mutex_};
  running_now_.for_each([&](const piece& each) { found.push_back(each.where); });
  for (const auto& each : queue_) found.push_back(each->where);
  return found;
}

void blocking_pool::run_thread() {
  pal::set_thread_name("troupe-block");
  pal::lock guard{mutex_};
  for (;;) {
    ++idle_;
    bool woken =
        changed_.wait_for(guard, idle_life, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (stopping_ || !woken) break;
    auto taken = std::move(queue_.front());
    queue_.pop_front();
    run(std::move(taken), guard);
  }
  --threads_;
  changed_.notify_all();  // Under the lock: the pool may be gone right after it.
}

void blocking_pool::run(std::unique_ptr<piece> taken, pal::lock& guard) {
  ++running_;
  running_now_.push_back(*taken);
  guard.unlock();
  taken->work();
  taken->work = nullptr;  // Its captures end before the pool looks done.
  guard.lock();
  intrusive_list<piece>::erase(*taken);
  after_each_();
  --running_;
  guard.unlock();
  owner_.remove_guard();
  guard.lock();
}

void blocking_pool::run_simulated(piece& chosen) {
  pal::lock guard{mutex_};
  auto place = std::find_if(queue_.begin(), queue_.end(),
                            [&](const auto& each) { return each.get() == &chosen; });
  TROUPE_ASSERT(place != queue_.end());
  auto taken = std::move(*place);
  queue_.erase(place);
  run(std::move(taken), guard);
}

}  // namespace troupe::inline v0_1
