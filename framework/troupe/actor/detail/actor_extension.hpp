#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <troupe/actor/detail/envelope.hpp>
#include <troupe/actor/detail/lineage.hpp>
#include <troupe/actor/detail/monitor_node.hpp>
#include <troupe/actor/detail/side_tasks.hpp>
#include <troupe/actor/detail/watch.hpp>
#include <troupe/actor/exit_reason.hpp>

namespace troupe::inline v0_1::detail {

class request_base;

/// Messages in the order in which they were added.
class message_chain {
public:
  [[nodiscard]] bool empty() const noexcept { return oldest_ == nullptr; }
  void push_back(envelope& last) noexcept {
    last.next = nullptr;
    (empty() ? oldest_ : newest_->next) = &last;
    newest_ = &last;
  }
  void push_front(envelope& first) noexcept {
    first.next = oldest_;
    if (empty()) newest_ = &first;
    oldest_ = &first;
  }
  [[nodiscard]] envelope* pop_front() noexcept {
    return static_cast<envelope*>(std::exchange(oldest_, oldest_->next));
  }

private:
  message_link* oldest_ = nullptr;
  message_link* newest_ = nullptr;
};

/// What only some actors have.
struct actor_extension {
  std::string name;
  std::unique_ptr<lineage> line;  ///< Of an actor with a supervisor; set before its life begins.

  // Under watch_lock().
  intrusive_list<watcher> watchers;
  exit_reason why;        ///< Of the last incarnation; written on its turn.
  bool is_known = false;  ///< The failure: it is not for the failure sink. On the turn.

  // On its own turn.
  std::uint32_t incarnation = 0;  ///< How often it was started anew.
  std::uint64_t activity = 0;     ///< See actor_block::activity().
  std::unique_ptr<side_tasks> side;
  std::unique_ptr<family> children;  ///< Of a supervisor; outlives its incarnations.
  intrusive_list<monitor_place> monitors;
  std::vector<request_base*> unanswered;  ///< Of the handler that runs: see leave_to_handler().
  message_chain put_aside;                ///< Until the actor takes it up.
  message_chain taken_up;  ///< To be handled before all other mail; its room was given back.
};

}  // namespace troupe::inline v0_1::detail
