#pragma once

#include <troupe/actor/actor_id.hpp>
#include <troupe/actor/detail/envelope.hpp>
#include <troupe/actor/detail/watch.hpp>

namespace troupe::inline v0_1::detail {

class monitor_node;

/// Its place in the list of the actor that watches.
struct monitor_place : list_link {
  explicit monitor_place(monitor_node& of) noexcept : node{&of} {}
  monitor_node* const node;
};

/// One actor's interest in another's end: a monitor or one half of a link. Belongs to the actor
/// that watches, and is made and freed on its turn.
class monitor_node : public watcher {
public:
  monitor_node(told_function f, actor_block& watching) noexcept : watcher{f}, by{watching} {}
  virtual ~monitor_node() = default;

  /// Takes it off both ends; it is freed now, or with its last word. On its actor's turn.
  void end() noexcept;

  /// Sends its last word, which lies in it and frees it. Under the lock of what it watches.
  void send_last(envelope& word) noexcept;
  /// The end of that word.
  void end_with_last() noexcept;

  /// Returns: the actor that `on(down)` is to hear of; null for a link.
  [[nodiscard]] virtual const actor_id* monitored() const noexcept { return nullptr; }

  actor_block& by;
  monitor_place place{*this};
  bool is_on_its_way = false;  ///< Its last word is in the mail, and frees it. Under the lock.
  bool is_canceled = false;    ///< That word is not to be heard any more. On the turn.
};

/// One half of a link: its actor dies with the other. When the other has ended well, its last word
/// only frees it.
class link_node final : public monitor_node {
public:
  explicit link_node(actor_block& watching) noexcept
      : monitor_node{&told_of_end, watching}, last_{*this} {}

private:
  struct last_word final : envelope {
    explicit last_word(link_node& in) noexcept;
    link_node& node;
  };

  static void finish(envelope& self, handler_failure) noexcept;
  static void told_of_end(watcher& self, const exit_reason& why, bool restarts) noexcept;
  static const envelope_table table_of_last_word;

  last_word last_;
};

}  // namespace troupe::inline v0_1::detail
