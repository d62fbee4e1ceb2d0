#include <actors/rate_limiter.hpp>

#include <algorithm>
#include <troupe/base/assert.hpp>

namespace troupe::inline v0_1::actors {

namespace {

std::uint64_t above_zero(std::uint64_t number) {
  if (number == 0) misuse("rate_limiter(rate, per, burst): each must be above zero [A21]");
  return number;
}

}  // namespace

rate_limiter::rate_limiter(std::uint64_t rate, duration per, std::uint64_t burst)
    : rate_{above_zero(rate)},
      per_{above_zero(per > duration::zero() ? static_cast<std::uint64_t>(per.count()) : 0)},
      burst_{above_zero(burst)},
      level_{burst * per_} {
  if (burst_ > INT64_MAX / per_)
    misuse("rate_limiter: `burst` times `per` is too much to count [A22]");
}

bool rate_limiter::try_acquire(std::uint64_t count) {
  check(count);
  pal::lock guard{mutex_};
  return line_.empty() && take(count);
}

void rate_limiter::check(std::uint64_t count) const {
  if (count > burst_)
    misuse("rate_limiter: more was asked for than the burst, which never comes [A23]");
}

// What has come since the last time.
void rate_limiter::fill() noexcept {
  time_point present = now();
  if (!has_begun_) {
    has_begun_ = true;
    filled_at_ = present;
  }
  auto passed = static_cast<std::uint64_t>((present - filled_at_).count());
  filled_at_ = present;
  const std::uint64_t full = burst_ * per_;
  std::uint64_t until_full = (full - level_) / rate_ + 1;
  level_ = passed >= until_full ? full : std::min(full, level_ + passed * rate_);
}

bool rate_limiter::take(std::uint64_t count) noexcept {
  fill();
  if (level_ < count * per_) return false;
  level_ -= count * per_;
  return true;
}

bool rate_limiter::try_serve(acquire_operation& wish) noexcept {
  waker next;
  {
    pal::lock guard{mutex_};
    bool is_first = line_.empty() || &line_.front() == &wish;
    if (!is_first || !take(wish.count_)) return false;
    if (wish.state_ == state::waiting) next = leave_line(wish);
    wish.state_ = state::served;
  }
  next.wake();
  return true;
}

// Returns: when to look at the level; nothing for one that is woken when it is the first.
std::optional<time_point> rate_limiter::line_up(acquire_operation& wish, waker key) noexcept {
  pal::lock guard{mutex_};
  if (wish.state_ == state::idle) line_.push_back(wish);
  wish.state_ = state::waiting;
  wish.key_ = key;
  if (&line_.front() != &wish) return std::nullopt;
  fill();
  const std::uint64_t wanted = wish.count_ * per_;
  std::uint64_t missing = wanted - std::min(level_, wanted);
  return filled_at_ + duration{static_cast<duration::rep>((missing + rate_ - 1) / rate_)};
}

void rate_limiter::leave(acquire_operation& wish) noexcept {
  waker next;
  {
    pal::lock guard{mutex_};
    next = leave_line(wish);
    wish.state_ = state::idle;
  }
  next.wake();
}

// Returns: whom to wake, outside of the lock, since it is the first now.
waker rate_limiter::leave_line(acquire_operation& wish) noexcept {
  bool was_first = &line_.front() == &wish;
  intrusive_list<acquire_operation>::erase(wish);
  return was_first && !line_.empty() ? line_.front().key_ : waker{};
}

bool rate_limiter::acquire_operation::enlist(waker key) noexcept {
  auto when = from_->line_up(*this, key);
  if (!when) return true;
  until_.emplace(sleep_until(*when));
  until_->start();
  return !until_->poll() && until_->enlist(key);
}

void rate_limiter::acquire_operation::delist() noexcept {
  if (until_) until_->delist();
  until_.reset();
}

}  // namespace troupe::inline v0_1::actors
