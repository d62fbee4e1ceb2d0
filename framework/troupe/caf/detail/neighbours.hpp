#pragma once

#include <cstddef>
#include <memory>
#include <unordered_map>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>

#include <troupe/base/intrusive_list.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/mutex.hpp>

namespace troupe::detail {

class caf_neighbours;

/// A bridging actor's hold on the CAF actor that it stands for.
///
///   R1. get() is for turns of the bridge. Who takes the hold away at the end of the CAF system
///       drops it when each worker has ended the turn that it was in.
class caf_hold : public list_link {
public:
  caf_hold(std::shared_ptr<caf_neighbours> among, const ::caf::actor& of);
  caf_hold(const caf_hold&) = delete;
  caf_hold& operator=(const caf_hold&) = delete;
  ~caf_hold();

  /// Returns: the actor; null when its system is at its end. R1
  [[nodiscard]] ::caf::actor_control_block* get() const noexcept {
    return to_.load(std::memory_order_acquire);
  }

private:
  friend class caf_neighbours;

  [[nodiscard]] ::caf::strong_actor_ptr take() noexcept;

  std::shared_ptr<caf_neighbours> among_;
  pal::atomic<::caf::actor_control_block*> to_;  // One reference.
};

/// All of a CAF system that troupe has a hand in. It may outlive the system.
class caf_neighbours {
public:
  /// Has a proxy ended with the system. CAF's registry would else do that in its own destructor.
  void add(const ::caf::strong_actor_ptr& proxy);
  void forget(const ::caf::abstract_actor& proxy) noexcept;

  /// Ends all proxies. Returns: what the bridges have held.
  [[nodiscard]] std::vector<::caf::strong_actor_ptr> end_all();

private:
  friend class caf_hold;

  pal::mutex mutex_;
  std::unordered_map<const ::caf::abstract_actor*, ::caf::weak_actor_ptr> proxies_;
  intrusive_list<caf_hold> holds_;
};

}  // namespace troupe::detail
