#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include <troupe/actor/actor.hpp>

#include "journal.hpp"
#include "part.hpp"
#include "store.hpp"

namespace keyval {

/// Tells the time of the wall; another one in tests.
using wall_clock = std::function<unix_ms()>;

/// Have a shard do its part of some requests. Answer: the part, with the answers in it.
struct run {
  using reply = part_ptr;
  part_ptr what;
};

/// Holds a part of the keys, and does to it what sessions ask for.
///
/// With a journal nothing is answered before all that it tells of is on disk: also who only reads
/// waits, where something was written that is not stored yet.
class shard final : public troupe::actor {
public:
  /// Is sent by its own timer.
  struct sweep {};

  explicit shard(wall_clock clock, std::optional<troupe::ref<journal>> writes_to = {});

  void on(run m, troupe::reply<part_ptr> back);
  void on(sweep);

private:
  void do_calls(part& asked);
  void wake_for_next_expiry();
  [[nodiscard]] bool has_unstored() const noexcept;
  [[nodiscard]] commit next_commit(part_ptr answer);

  wall_clock clock_;
  std::optional<troupe::ref<journal>> journal_;
  store store_;
  std::uint64_t sent_ = 0;                                // Commits to the journal.
  std::shared_ptr<std::atomic<std::uint64_t>> stored_{};  // So many of them are on disk.
  troupe::actor_timer timer_;
  std::optional<unix_ms> wakes_at_;
};

}  // namespace keyval
