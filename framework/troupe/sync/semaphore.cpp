#include <troupe/sync/semaphore.hpp>

#include <troupe/base/assert.hpp>

namespace troupe {

void semaphore::check(std::size_t count) {
  if (count == 0) misuse("no permit was asked of a semaphore: ask for one or more");
}

result<semaphore::permit> semaphore::try_acquire(std::size_t count) {
  check(count);
  pal::lock guard{mutex_};
  if (closed_) return make_error_code(errc::closed);
  if (!line_.empty() || available_ < count) return make_error_code(errc::empty);
  available_ -= count;
  return permit{*this, count};
}

void semaphore::add(std::size_t count) noexcept {
  detail::claimed_tasks served;
  {
    pal::lock guard{mutex_};
    TROUPE_ASSERT(available_ + count >= available_);
    available_ += count;
    serve_line(served);
  }
  // The semaphore may be gone by now: one that has got its permits may be its owner.
  served.schedule();
}

void semaphore::close() noexcept {
  detail::claimed_tasks refused;
  {
    pal::lock guard{mutex_};
    closed_ = true;
    while (acquire_operation* wish = line_.pop_front()) {
      wish->state_ = acquire_operation::state::refused;
      refused.claim(wish->key_);
    }
  }
  refused.schedule();
}

bool semaphore::is_closed() const noexcept {
  pal::lock guard{mutex_};
  return closed_;
}

std::size_t semaphore::available() const noexcept {
  pal::lock guard{mutex_};
  return available_;
}

// Returns: whether its wait is over. One that stands in the line is served by whoever changes that.
bool semaphore::try_serve(acquire_operation& wish) noexcept {
  using state = acquire_operation::state;
  pal::lock guard{mutex_};
  if (wish.state_ != state::idle) return wish.state_ != state::waiting;
  if (closed_) {
    wish.state_ = state::refused;
  } else if (line_.empty() && available_ >= wish.count_) {
    available_ -= wish.count_;
    wish.state_ = state::served;
  }
  return wish.state_ != state::idle;
}

// Returns: false when a try is due.
bool semaphore::line_up(acquire_operation& wish, waker key) noexcept {
  using state = acquire_operation::state;
  pal::lock guard{mutex_};
  if (wish.state_ == state::idle) {
    if (closed_ || (line_.empty() && available_ >= wish.count_)) return false;
    line_.push_back(wish);
    wish.state_ = state::waiting;
  }
  wish.key_ = key;
  return wish.state_ == state::waiting;
}

// Takes back the place in the line, or what was got there; either may be what others wait for.
void semaphore::leave(acquire_operation& wish) noexcept {
  using state = acquire_operation::state;
  detail::claimed_tasks served;
  {
    pal::lock guard{mutex_};
    if (wish.state_ == state::waiting) intrusive_list<acquire_operation>::erase(wish);
    if (wish.state_ == state::served) available_ += wish.count_;
    wish.state_ = state::idle;
    serve_line(served);
  }
  served.schedule();
}

void semaphore::serve_line(detail::claimed_tasks& served) noexcept {
  while (!line_.empty() && line_.front().count_ <= available_) {
    acquire_operation& wish = *line_.pop_front();
    available_ -= wish.count_;
    wish.state_ = acquire_operation::state::served;
    served.claim(wish.key_);
  }
}

}  // namespace troupe
