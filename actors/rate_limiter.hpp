#pragma once

#include <cstdint>
#include <list>

#include <troupe/pal/mutex.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/task.hpp>

namespace troupe::inline v0_1::actors {

/// Lets so much through in a time: a bucket of `burst` tokens, full at first, into which `rate`
/// tokens come `per` period, evenly. By the runtime's clock, and exact to the nanosecond.
///
/// A plain object and no actor: to take a token needs no message, and tasks, handlers and several
/// actors can share one, as a member, or by a shared_ptr.
///
/// Requires: `rate`, `burst` and `per` above zero; it outlives all who wait.
/// Threads: workers; any task or handler.
/// Bounds:  a lock of a few instructions for each call; a small coroutine for each acquire().
/// Example:
///     actors::rate_limiter limiter{100, 1s, 10};   // 100 a second, up to 10 at once.
///     co_await limiter.acquire();
class rate_limiter {
public:
  rate_limiter(std::uint64_t rate, duration per, std::uint64_t burst);
  rate_limiter(const rate_limiter&) = delete;
  rate_limiter& operator=(const rate_limiter&) = delete;

  /// Waits for `count` tokens and takes them. First come, first served: who waits for many is not
  /// overtaken by who wants few.
  /// Requires: `count` up to the burst; else it would wait for ever. Cancel: nothing is taken.
  [[nodiscard]] task<> acquire(std::uint64_t count = 1);

  /// Takes them when they are there and nobody waits. Returns: whether it has.
  [[nodiscard]] bool try_acquire(std::uint64_t count = 1);

private:
  // One that waits; it has its turn when it is the first.
  class place {
  public:
    explicit place(rate_limiter& in);
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    ~place();
    [[nodiscard]] event& turn() noexcept { return *mine_; }

  private:
    rate_limiter* in_;
    std::list<event>::iterator mine_;
  };

  void check(std::uint64_t count) const;
  void fill() noexcept;
  bool take(std::uint64_t count, time_point& when_to_look_again) noexcept;

  // The level counts parts of a token, `per_` of them to one: `rate_` come in a nanosecond.
  const std::uint64_t rate_, per_, burst_;
  pal::mutex mutex_;
  std::list<event> waiting_;
  std::uint64_t level_;
  time_point filled_at_{};
  bool has_begun_ = false;
};

}  // namespace troupe::inline v0_1::actors
