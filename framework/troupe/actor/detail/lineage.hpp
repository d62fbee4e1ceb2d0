#pragma once

#include <cstdint>
#include <vector>

#include <troupe/actor/detail/envelope.hpp>
#include <troupe/actor/exit_reason.hpp>
#include <troupe/pal/clock.hpp>

namespace troupe::inline v0_1 {

/// When a supervisor starts a child anew.
enum class child_kind : unsigned char {
  permanent,  ///< Always, however it has ended.
  transient,  ///< When it has failed or was killed.
  temporary,  ///< Never.
};

namespace detail {

/// Tells the supervisor that a child has ended an incarnation; one is under way at most, since the
/// child then waits for the verdict.
struct child_notice final : envelope {
  explicit child_notice(actor_block& of) noexcept;
  actor_block& child;
};

/// What an actor with a supervisor has: how to make its state anew, and whom to tell.
class lineage {
public:
  lineage(actor_block& child, actor_block& supervisor, child_kind how) noexcept;
  virtual ~lineage() = default;

  /// Makes a new state in place. Errors: what its constructor throws; std::bad_alloc.
  virtual void construct(actor_block& of) = 0;

  [[nodiscard]] bool comes_back_after(const exit_reason& why) const noexcept {
    if (why.kind == exit_kind::restarted) return kind != child_kind::temporary;
    return kind == child_kind::permanent || (kind == child_kind::transient && !why.is_normal());
  }

  child_notice notice;
  const child_kind kind;
  actor_block* const parent;
  const std::uint32_t parent_generation;
};

/// The children of one supervisor, oldest first, and how they fare. On the supervisor's turn.
class family {
public:
  enum class state : unsigned char { running, ending, waiting };

  struct child {
    actor_block* block;  ///< Counted as a reference.
    state is = state::running;
    unsigned failures = 0;  ///< In a row, each soon after the last.
    time_point failed_at{};
  };

  family() = default;
  family(const family&) = delete;
  family& operator=(const family&) = delete;
  /// Ends what is left, without waiting for it.
  ~family();

  void adopt(actor_block& block) { children_.push_back(child{&block}); }
  [[nodiscard]] child* find(const actor_block& block) noexcept;
  void forget(actor_block& block) noexcept;
  [[nodiscard]] std::vector<child>& children() noexcept { return children_; }

private:
  std::vector<child> children_;
};

}  // namespace detail
}  // namespace troupe::inline v0_1
