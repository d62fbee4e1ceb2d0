#pragma once

#include <cstdint>
#include <optional>

#include <troupe/base/intrusive_list.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/operation.hpp>

namespace troupe::inline v0_1::actors {

/// Lets so much through in a time: a bucket of `burst` tokens, full at first, into which `rate`
/// tokens come `per` period, evenly. By the runtime's clock, and exact to the nanosecond.
///
/// A plain object and no actor: to take a token needs no message, and tasks, handlers and several
/// actors can share one, as a member, or by a shared_ptr.
///
/// Requires: `rate`, `burst` and `per` above zero; it outlives all who wait.
/// Threads: workers; any task or handler.
/// Bounds:  a lock of a few instructions for each call; a wait lies in the frame of who waits.
/// Example:
///     actors::rate_limiter limiter{100, 1s, 10};   // 100 a second, up to 10 at once.
///     co_await limiter.acquire();
class rate_limiter {
public:
  rate_limiter(std::uint64_t rate, duration per, std::uint64_t burst);
  rate_limiter(const rate_limiter&) = delete;
  rate_limiter& operator=(const rate_limiter&) = delete;

  class acquire_operation final : private list_link {
  public:
    static constexpr const char* name = "tokens of a rate limiter";

    acquire_operation(rate_limiter& from, std::uint64_t count) noexcept
        : from_{&from}, count_{count} {}
    acquire_operation(acquire_operation&& other) noexcept  // Before it has waited.
        : from_{other.from_}, count_{other.count_} {}
    ~acquire_operation() {
      if (state_ == state::waiting) from_->leave(*this);
    }

    /// Gives up its place: who has lost a race holds nobody up while others unwind.
    void stop() noexcept {
      if (state_ == state::waiting) from_->leave(*this);
      state_ = state::given_up;
    }
    bool poll() noexcept { return state_ > state::waiting || from_->try_serve(*this); }
    bool enlist(waker key) noexcept;
    void delist() noexcept;  // It keeps its place.
    void take() const {
      if (state_ == state::given_up) throw canceled{};
    }

  private:
    friend class rate_limiter;
    friend class intrusive_list<acquire_operation>;

    enum class state : unsigned char {
      idle,      ///< In no line.
      waiting,   ///< In the line.
      served,    ///< Its tokens were taken.
      given_up,  ///< It was stopped, and has taken none.
    };

    rate_limiter* from_;
    std::uint64_t count_;
    waker key_;  // Under the limiter's lock, as the link.
    std::optional<decltype(sleep_until(time_point{}))> until_;  // Of the first in the line.
    state state_ = state::idle;                                 // Of its task's turn, as the rest.
  };

  /// Waits for `count` tokens and takes them. First come, first served: who waits for many is not
  /// overtaken by who wants few.
  /// Requires: `count` up to the burst; else it would wait for ever. Cancel: nothing is taken.
  [[nodiscard]] acquire_operation acquire(std::uint64_t count = 1) {
    check(count);
    return acquire_operation{*this, count};
  }

  /// Takes them when they are there and nobody waits. Returns: whether it has.
  [[nodiscard]] bool try_acquire(std::uint64_t count = 1);

private:
  using state = acquire_operation::state;

  void check(std::uint64_t count) const;
  void fill() noexcept;
  [[nodiscard]] bool take(std::uint64_t count) noexcept;
  [[nodiscard]] bool try_serve(acquire_operation& wish) noexcept;
  [[nodiscard]] std::optional<time_point> line_up(acquire_operation& wish, waker key) noexcept;
  void leave(acquire_operation& wish) noexcept;
  [[nodiscard]] waker leave_line(acquire_operation& wish) noexcept;

  // The level counts parts of a token, `per_` of them to one: `rate_` come in a nanosecond.
  const std::uint64_t rate_, per_, burst_;
  pal::mutex mutex_;
  intrusive_list<acquire_operation> line_;  // Oldest first; only the first looks at the level.
  std::uint64_t level_;
  time_point filled_at_{};
  bool has_begun_ = false;
};

}  // namespace troupe::inline v0_1::actors
