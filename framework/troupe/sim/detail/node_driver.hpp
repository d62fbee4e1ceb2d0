#pragma once

#include <deque>
#include <functional>

#include <troupe/base/assert.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/sched/driver.hpp>

namespace troupe::inline v0_1::sim::detail {

/// The driver of a node: the world asks it whether the node has anything to do, and what happens
/// outside of the node comes in through it.
class node_driver : public driver {
public:
  /// Has `wake` run on the node's worker, within its next poll(). It may wake tasks, and must not
  /// throw.
  void post(std::function<void()> wake) {
    posted_.push_back(std::move(wake));
    interrupt();
  }

  [[nodiscard]] bool is_ready() const noexcept { return ready_.load(std::memory_order_relaxed); }
  /// The node has said that nothing is ready.
  void rest() noexcept { ready_.store(!posted_.empty(), std::memory_order_relaxed); }

  void wait(std::optional<time_point>) final {
    misuse("a node of a sim::world was asked to wait: only the world may run it");
  }
  void poll(std::size_t most) final {
    for (; most > 0 && !posted_.empty(); --most) {
      auto wake = std::move(posted_.front());
      posted_.pop_front();
      wake();
    }
  }
  void interrupt() noexcept final { ready_.store(true, std::memory_order_relaxed); }

private:
  std::deque<std::function<void()>> posted_;
  // A foreign thread may wake a task of the node, too; then nothing is promised of the order.
  pal::atomic<bool> ready_{true};
};

}  // namespace troupe::inline v0_1::sim::detail
