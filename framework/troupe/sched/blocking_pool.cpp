#include <troupe/sched/blocking_pool.hpp>

#include <memory>
#include <utility>

#include <troupe/sched/scheduler.hpp>

namespace troupe::inline v0_1 {

namespace {
constexpr std::chrono::seconds idle_life{10};
}

blocking_pool::~blocking_pool() {
  pal::lock guard{mutex_};
  stopping_ = true;
  intrusive_list<piece> dropped;
  dropped.take_all(queue_);
  queued_ = 0;
  guard.unlock();
  while (piece* each = dropped.pop_front()) delete each;  // Captures may have ends of their own.
  if (owner_.simulated() != nullptr) owner_.simulated()->end_blocking();
  guard.lock();
  changed_.notify_all();
  changed_.wait(guard, [this] { return threads_.empty(); });
  guard.unlock();
  for (auto& last : left_) last->join();
}

void blocking_pool::submit(std::function<void()> work, std::source_location where) {
  auto fresh = std::make_unique<piece>();
  fresh->work = std::move(work);
  fresh->where = where;
  pal::lock guard{mutex_};
  piece& last = *fresh.release();
  queue_.push_back(last);
  ++queued_;
  owner_.add_guard();
  if (owner_.simulated() != nullptr) {
    owner_.simulated()->run_blocking([this, &last] { run_simulated(last); });
    return;
  }
  if (idle_ >= queued_) {
    changed_.notify_one();
    return;
  }
  if (threads_.size() == max_threads_) return;
  try {
    thread_list made(1);
    made.front().emplace([this, self = made.begin()] { run_thread(self); });
    threads_.splice(threads_.end(), made);
  } catch (...) {
    if (!threads_.empty()) return;  // The others will get to it.
    intrusive_list<piece>::erase(last);
    --queued_;
    owner_.remove_guard();
    delete &last;
    throw;
  }
}

void blocking_pool::after_each(void (*act)() noexcept) noexcept {
  pal::lock guard{mutex_};
  after_each_ = act;
}

std::size_t blocking_pool::pending() const noexcept {
  pal::lock guard{mutex_};
  return running_ + queued_;
}

std::vector<std::source_location> blocking_pool::places() const {
  std::vector<std::source_location> found;
  pal::lock guard{mutex_};
  running_now_.for_each([&](const piece& each) { found.push_back(each.where); });
  queue_.for_each([&](const piece& each) { found.push_back(each.where); });
  return found;
}

void blocking_pool::run_thread(thread_list::iterator self) {
  pal::set_thread_name("troupe-block");
  pal::lock guard{mutex_};
  for (;;) {
    ++idle_;
    bool woken =
        changed_.wait_for(guard, idle_life, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (stopping_ || !woken) break;
    std::unique_ptr<piece> taken{queue_.pop_front()};
    --queued_;
    run(std::move(taken), guard);
  }
  thread_list before;
  before.swap(left_);
  left_.splice(left_.end(), threads_, self);
  changed_.notify_all();
  guard.unlock();
  for (auto& former : before) former->join();
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
  intrusive_list<piece>::erase(chosen);
  --queued_;
  run(std::unique_ptr<piece>{&chosen}, guard);
}

}  // namespace troupe::inline v0_1
