#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>

#include <troupe/base/cache_line.hpp>
#include <troupe/base/intrusive_list.hpp>
#include <troupe/base/memory.hpp>
#include <troupe/caf/detail/answer.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/mutex.hpp>

namespace troupe::inline v0_1::detail {

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

/// A request of a CAF actor that troupe has not answered yet.
///
///   R2. Who answers takes it out of its list, and counts itself there until that is done. Who ends
///       the CAF system takes out all that are left, and waits for those who answer.
class caf_pending final : public list_link {
public:
  caf_pending(std::shared_ptr<caf_neighbours> among, caf_return_path&& back);
  caf_pending(const caf_pending&) = delete;
  caf_pending& operator=(const caf_pending&) = delete;
  ~caf_pending();

  /// After the end of the CAF system it does nothing. Threads: any.
  void answer(::caf::message&& content) noexcept;

  static void* operator new(std::size_t size_bytes) { return allocate(size_bytes); }
  static void operator delete(void* block, std::size_t size_bytes) noexcept {
    deallocate(block, size_bytes);
  }

private:
  friend class caf_neighbours;

  std::shared_ptr<caf_neighbours> among_;
  std::optional<caf_return_path> back_;  // Under the lock of its list.
};

/// All of a CAF system that troupe has a hand in. It may outlive the system.
class caf_neighbours {
public:
  /// Has a proxy ended with the system. CAF's registry would else do that in its own destructor.
  void add(const ::caf::strong_actor_ptr& proxy);
  void forget(const ::caf::abstract_actor& proxy) noexcept;

  /// Ends all proxies and requests. Returns: what the bridges have held.
  [[nodiscard]] std::vector<::caf::strong_actor_ptr> end_all();

private:
  friend class caf_hold;
  friend class caf_pending;

  // Requests that wait for their answers, in several lists, so that workers seldom meet.
  struct alignas(cache_line_bytes) requests {
    pal::mutex mutex;
    intrusive_list<caf_pending> waiting;
    bool is_closed = false;
    pal::atomic<std::size_t> answering{0};
  };

  [[nodiscard]] requests& list_of(const caf_pending& request) noexcept;
  void end_requests();

  pal::mutex mutex_;
  std::unordered_map<const ::caf::abstract_actor*, ::caf::weak_actor_ptr> proxies_;
  intrusive_list<caf_hold> holds_;
  std::array<requests, 16> requests_;
};

}  // namespace troupe::inline v0_1::detail
