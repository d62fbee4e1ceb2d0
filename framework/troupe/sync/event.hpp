#pragma once

#include <troupe/pal/atomic.hpp>
#include <troupe/sync/parking_lot.hpp>
#include <troupe/task/operation.hpp>

namespace troupe::inline v0_1 {

/// Something that happens: tasks wait until it is set; it stays set until it is reset.
///
/// Threads: any, also foreign ones, for set(), reset() and is_set().
/// Example: `event ready; spawn(...ready.set()...); co_await ready.wait();`
class event {
public:
  event() = default;
  event(const event&) = delete;
  event& operator=(const event&) = delete;

  /// Wakes all that wait; those who come later do not wait.
  void set() noexcept;

  /// From now on wait() waits again.
  void reset() noexcept { set_.store(false, std::memory_order_relaxed); }

  [[nodiscard]] bool is_set() const noexcept {
    return set_.load(std::memory_order_acquire);  // <- set
  }

  class wait_operation {
  public:
    static constexpr const char* name = "an event";

    explicit wait_operation(event& awaited) noexcept : awaited_{&awaited} {}
    wait_operation(wait_operation&& other) noexcept : awaited_{other.awaited_} {}

    bool poll() noexcept { return woken_ || awaited_->is_set(); }
    bool enlist(waker key) noexcept;
    void delist() noexcept { woken_ |= detail::parking_lot::instance().leave(waiter_); }
    void take() noexcept {}

  private:
    event* awaited_;
    detail::parked_waiter waiter_;
    bool woken_ = false;  // By a set(), even if a reset() came right after it.
  };

  /// Waits until the event is set. Cancel: nothing is lost.
  [[nodiscard]] wait_operation wait() noexcept { return wait_operation{*this}; }

private:
  pal::atomic<bool> set_{false};
};

}  // namespace troupe::inline v0_1
