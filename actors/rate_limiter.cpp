#include <actors/rate_limiter.hpp>

#include <algorithm>

#include <troupe/base/assert.hpp>

namespace troupe::inline v0_1::actors {

namespace {

std::uint64_t above_zero(std::uint64_t number) {
  if (number == 0) misuse("rate_limiter(rate, per, burst): each must be above zero");
  return number;
}

}  // namespace

rate_limiter::rate_limiter(std::uint64_t rate, duration per, std::uint64_t burst)
    : rate_{above_zero(rate)},
      per_{above_zero(per > duration::zero() ? static_cast<std::uint64_t>(per.count()) : 0)},
      burst_{above_zero(burst)},
      level_{burst * per_} {
  if (burst_ > INT64_MAX / per_) misuse("rate_limiter: `burst` times `per` is too much to count");
}

task<> rate_limiter::acquire(std::uint64_t count) {
  if (try_acquire(count)) co_return;
  place queued{*this};
  co_await queued.turn().wait();
  time_point when{};
  while (!take(count, when)) co_await sleep_until(when);
}

bool rate_limiter::try_acquire(std::uint64_t count) {
  check(count);
  pal::lock guard{mutex_};
  if (!waiting_.empty()) return false;
  fill();
  if (level_ < count * per_) return false;
  level_ -= count * per_;
  return true;
}

void rate_limiter::check(std::uint64_t count) const {
  if (count > burst_) misuse("rate_limiter: more was asked for than the burst, which never comes");
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

bool rate_limiter::take(std::uint64_t count, time_point& when_to_look_again) noexcept {
  pal::lock guard{mutex_};
  fill();
  const std::uint64_t wanted = count * per_;
  if (level_ >= wanted) {
    level_ -= wanted;
    return true;
  }
  std::uint64_t nanoseconds = (wanted - level_ + rate_ - 1) / rate_;
  when_to_look_again = filled_at_ + duration{static_cast<duration::rep>(nanoseconds)};
  return false;
}

rate_limiter::place::place(rate_limiter& in) : in_{&in} {
  pal::lock guard{in.mutex_};
  mine_ = in.waiting_.emplace(in.waiting_.end());
  if (mine_ == in.waiting_.begin()) mine_->set();
}

rate_limiter::place::~place() {
  pal::lock guard{in_->mutex_};
  in_->waiting_.erase(mine_);
  if (!in_->waiting_.empty()) in_->waiting_.front().set();
}

}  // namespace troupe::inline v0_1::actors
