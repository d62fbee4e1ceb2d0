#pragma once

#include <optional>

#include <troupe/base/assert.hpp>
#include <troupe/sched/sleep.hpp>

namespace troupe::inline v0_1 {

/// What an interval does about ticks whose time passed while nobody looked.
enum class missed_ticks : unsigned char {
  skip,   ///< The next tick is the next one due; phase is kept.
  burst,  ///< Every missed tick comes, at once.
  delay,  ///< The next tick comes one period after the late one.
};

/// The passing of one period; carries when it was due.
struct tick {
  time_point due;
};

/// A source of periodic ticks; the first one comes one period after the first wait began.
///
/// It does not drift: each tick is due one period after the one before was due.
/// Threads: one task at a time. Cancel: a cancelled wait has taken no tick.
/// Example:
///     interval every{30s};
///     for (;;) { co_await every.next(); report(); }
class interval {
public:
  /// Requires: `period` above zero.
  explicit interval(duration period, missed_ticks missed = missed_ticks::skip) noexcept
      : period_{period}, missed_{missed} {
    TROUPE_ASSERT(period > duration::zero());
  }

  class next_operation {
  public:
    static constexpr const char* name = "the next tick of an interval";

    explicit next_operation(interval& source) noexcept
        : source_{&source}, sleep_{source.next_due()} {}

    void start() noexcept { sleep_.start(); }
    bool poll() noexcept { return sleep_.poll(); }
    bool enlist(waker key) noexcept { return sleep_.enlist(key); }
    void delist() noexcept { sleep_.delist(); }
    tick take() noexcept { return source_->advance(); }

  private:
    interval* source_;
    detail::sleep_operation sleep_;
  };

  /// Waits for the next tick.
  [[nodiscard]] next_operation next() noexcept { return next_operation{*this}; }

  [[nodiscard]] duration period() const noexcept { return period_; }

private:
  [[nodiscard]] time_point next_due() noexcept {
    if (!due_) due_ = now() + period_;
    return *due_;
  }

  tick advance() noexcept {
    tick reached{*due_};
    time_point present = now();
    if (missed_ == missed_ticks::delay) {
      due_ = present + period_;
    } else {
      *due_ += period_;
      if (missed_ == missed_ticks::skip && *due_ <= present) {
        *due_ += ((present - *due_) / period_ + 1) * period_;
      }
    }
    return reached;
  }

  duration period_;
  missed_ticks missed_;
  std::optional<time_point> due_;
};

}  // namespace troupe::inline v0_1
