#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/condition.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/pal/thread.hpp>

namespace troupe::inline v0_1::detail {

/// Says in one line when CAF actors wait for workers that are all held by one turn each: such as by
/// a scoped_actor that waits on a worker for one of these actors, and so for ever.
///
///   armed_   somebody was queued by a turn that may wait for it   arm() sets, the thread clears
///
/// While it is armed its thread looks once per second, and at no other time.
class stall_watch {
public:
  /// `turns` returns how many turns the workers have begun, while something waits for one; else
  /// none.
  explicit stall_watch(std::function<std::optional<std::uint64_t>()> turns);
  stall_watch(const stall_watch&) = delete;
  stall_watch& operator=(const stall_watch&) = delete;
  ~stall_watch();

  /// To be called when something is queued from a turn that may be going to wait. Threads: any.
  void arm() noexcept {
    if (!armed_.load(std::memory_order_relaxed)) begin();
  }

private:
  void begin() noexcept;
  void look();
  void look_until_over(pal::lock& guard);

  const std::function<std::optional<std::uint64_t>()> turns_;
  pal::atomic<bool> armed_{false};
  pal::mutex mutex_;
  pal::condition changed_;
  bool stopping_ = false;
  pal::thread thread_;
};

}  // namespace troupe::inline v0_1::detail
