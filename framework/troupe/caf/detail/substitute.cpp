#include <troupe/caf/detail/substitute.hpp>

#include <utility>

namespace troupe::inline v0_1::detail {

substitute::substitute(std::function<void(job&)> run)
    : run_{std::move(run)}, thread_{[this] { run_all(); }} {}

substitute::~substitute() {
  {
    pal::lock guard{mutex_};
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void substitute::push(job& ready) noexcept {
  pal::lock guard{mutex_};
  ready.next = nullptr;
  (oldest_ == nullptr ? oldest_ : newest_->next) = &ready;
  newest_ = &ready;
  changed_.notify_all();
}

void substitute::run_all() {
  pal::set_thread_name("troupe-caf");
  pal::lock guard{mutex_};
  for (;;) {
    changed_.wait(guard, [this] { return stopping_ || oldest_ != nullptr; });
    if (oldest_ == nullptr) return;
    job& next = *std::exchange(oldest_, oldest_->next);
    guard.unlock();
    run_(next);
    guard.lock();
  }
}

}  // namespace troupe::inline v0_1::detail
