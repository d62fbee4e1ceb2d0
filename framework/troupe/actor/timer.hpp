#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <troupe/actor/detail/messages.hpp>
#include <troupe/sched/interval.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// What an actor's timer, its messages and its handle share; touched on the actor's turn alone.
struct timer_state {
  task_core* task = nullptr;  ///< Null before it was started, and when it has ended.
  bool is_canceled = false;
};

/// Tells the state when the task's frame is gone, whether or not it has ever run.
struct timer_guard {
  explicit timer_guard(std::shared_ptr<timer_state> of) noexcept : state{std::move(of)} {}
  timer_guard(timer_guard&&) = default;
  timer_guard& operator=(timer_guard&&) = delete;
  ~timer_guard() {
    if (state != nullptr) state->task = nullptr;
  }
  std::shared_ptr<timer_state> state;
};

/// A timer that sends M to an actor of class A. Its one message lies in it: a tick needs no memory,
/// and one is under way at most.
template <class A, class M>
struct message_timer final : timer_state {
  message_timer(actor_block& of, M&& first)
      : to{of}, incarnation{of.extension().incarnation}, tick{*this, std::move(first)} {}

  /// Returns: true when its message is not to be handled any more.
  [[nodiscard]] bool is_over() const noexcept {
    return is_canceled || to.extension_if_any()->incarnation != incarnation;
  }

  /// Sends. Requires: nothing of it is under way.
  void fire(std::shared_ptr<message_timer> self) {
    tick.keeps = std::move(self);
    to.push_or_drop(tick);
  }
  /// Sends `fresh`, unless the last one has not been handled, or was put aside.
  void fire_again(std::shared_ptr<message_timer> self, M fresh) {
    if (tick.keeps != nullptr) return;
    sent_of<M>::refill(tick, &fresh);
    fire(std::move(self));
  }

  struct tick_message final : sent_of<M> {
    tick_message(message_timer& of, M&& first) : sent_of<M>{table, std::move(first)}, timer{of} {}
    message_timer& timer;
    std::shared_ptr<message_timer> keeps;  // While it is under way.

    static bool run(actor_block& of, envelope& self) {
      if (static_cast<tick_message&>(self).timer.is_over()) return true;
      return sent<A, M>::run(of, self);
    }
    static void finish(envelope& self, handler_failure) noexcept {
      auto last = std::move(static_cast<tick_message&>(self).keeps);
    }
    static void drop(envelope& self, ask_errc) noexcept { finish(self, nullptr); }

    static constexpr envelope_table table = embedded(sent<A, M>::table, &run, &finish, &drop);
  };

  actor_block& to;
  const std::uint32_t incarnation;  // That has started it: a later one hears nothing of it.
  tick_message tick;
};

template <class A, class M>
task<> send_later(timer_guard guard, duration delay) {
  co_await sleep_for(delay);
  auto timer = std::static_pointer_cast<message_timer<A, M>>(guard.state);
  timer->fire(timer);
}

template <class A, class M>
task<> send_at_ticks(timer_guard guard, interval every, M message) {
  for (;;) {
    co_await every.next();
    auto timer = std::static_pointer_cast<message_timer<A, M>>(guard.state);
    timer->fire_again(timer, message);
  }
}

// Looks eight times within the limit whether the actor has handled something. Each such timer
// remembers for itself what it has seen.
template <class A, class M>
task<> send_when_idle(timer_guard guard, duration limit) {
  constexpr int looks = 8;
  auto timer = std::static_pointer_cast<message_timer<A, M>>(guard.state);
  std::uint64_t seen = timer->to.activity();
  for (int quiet = 0;;) {
    co_await sleep_for(limit / looks);
    std::uint64_t before = std::exchange(seen, timer->to.activity());
    quiet = seen != before ? 0 : quiet + 1;
    if (quiet < looks) continue;
    quiet = 0;
    timer->fire_again(timer, M{});
  }
}

/// Starts the task of a timer, which the actor ends with its incarnation.
template <class A, class M, class F, class... Args>
std::shared_ptr<timer_state> start_timer(actor_block& of, M&& first, F run, Args&&... args) {
  auto made = std::make_shared<message_timer<A, M>>(of, std::move(first));
  side_tasks& among = of.begin_side_task();
  made->task = &start_on(of.exec(), &among.timers(), std::source_location::current(), run,
                         timer_guard{made}, std::forward<Args>(args)...);
  return made;
}

}  // namespace detail

/// The right to cancel an actor's timer; dropping it does not. To be used on that actor's turns.
class actor_timer {
public:
  actor_timer() = default;
  explicit actor_timer(std::shared_ptr<detail::timer_state> of) noexcept : state_{std::move(of)} {}

  /// Ends the timer. Nothing comes from it after this, also not what is in the mail already.
  void cancel() noexcept {
    if (state_ == nullptr) return;
    state_->is_canceled = true;
    if (state_->task != nullptr) state_->task->request_stop();
    state_ = nullptr;
  }

private:
  std::shared_ptr<detail::timer_state> state_;
};

}  // namespace troupe::inline v0_1
