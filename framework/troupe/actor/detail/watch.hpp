#pragma once

#include <troupe/actor/exit_reason.hpp>
#include <troupe/base/intrusive_list.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/task/operation.hpp>

namespace troupe::inline v0_1::detail {

class actor_block;

/// One who wants to know of an actor's end; lives where the interest lives.
///
///   R1. The lock of the watched actor guards its list of watchers and `is_linked`; told() runs
///       under it, so who unlinks a watcher finds it either told to the end or not at all.
///   R2. end_life sets `dead` and then looks for watchers; who watches links and then looks at
///       `dead`. One of the two sees the other, and tells.
struct watcher : list_link {
  using told_function = void (*)(watcher& self, const exit_reason& why, bool restarts) noexcept;

  explicit watcher(told_function f) noexcept : told{f} {}

  const told_function told;
  actor_block* target = nullptr;
  bool is_linked = false;
};

/// The lock that guards the watchers of `target`; shared by some actors.
[[nodiscard]] pal::mutex& watch_lock(const actor_block& target) noexcept;

/// Links `who`; tells it at once when `target` has ended. Requires: a reference is held meanwhile.
/// Errors: std::bad_alloc.
void watch(actor_block& target, watcher& who);

/// Takes `who` off; it is not told after this. Harmless when it was told, or never linked.
void unwatch(watcher& who) noexcept;

/// Waits for an actor's end.
class end_operation final : private watcher {
public:
  static constexpr const char* name = "the end of an actor";

  /// Keeps a reference, so that its target stays.
  explicit end_operation(actor_block& whom) noexcept;
  end_operation(end_operation&& other) noexcept;
  ~end_operation();

  /// A misuse in a handler of the very actor.
  void start(std::source_location where);
  bool poll() noexcept { return is_over_.load(std::memory_order_acquire); }  // <- told
  bool enlist(waker key) noexcept;
  void delist() noexcept {}
  exit_reason take() noexcept { return std::move(why_); }

private:
  actor_block* watched_;
  waker key_;  // Under the lock.
  exit_reason why_;
  pal::atomic<bool> is_over_{false};
};

}  // namespace troupe::inline v0_1::detail
