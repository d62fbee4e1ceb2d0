#pragma once

#include <cstddef>
#include <optional>

#include <troupe/base/assert.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/sched/driver.hpp>

namespace troupe::inline v0_1::sim::detail {

/// The driver of a node: the world asks it whether the node has anything to do. What happens
/// outside of the node wakes its tasks by itself, and thereby calls interrupt().
class node_driver : public driver {
public:
  [[nodiscard]] bool is_ready() const noexcept { return ready_.load(std::memory_order_relaxed); }
  /// The node has said that nothing is ready.
  void rest() noexcept { ready_.store(false, std::memory_order_relaxed); }

  void wait(std::optional<time_point>) final {
    misuse("a node of a sim::world was asked to wait: only the world may run it [X08]");
  }
  void poll(std::size_t) final {}
  void interrupt() noexcept final { ready_.store(true, std::memory_order_relaxed); }

private:
  // A foreign thread may wake a task of the node, too; then nothing is promised of the order.
  pal::atomic<bool> ready_{true};
};

}  // namespace troupe::inline v0_1::sim::detail
