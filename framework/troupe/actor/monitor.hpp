#pragma once

#include <string>

#include <troupe/actor/ref.hpp>

namespace troupe::inline v0_1 {

/// The notice that a monitored actor has ended, or one incarnation of it; comes after all mail that
/// actor has sent.
struct down {
  actor_id who;
  std::string name;
  exit_reason why;
  bool restarts = false;  ///< Its supervisor starts it anew: more such notices may come.
};

namespace detail {

/// A monitor of an actor of class A. Its last word lies in it, so that it needs no memory then.
template <class A>
class down_node final : public monitor_node {
public:
  down_node(actor_block& watching, actor_id of, std::string name)
      : monitor_node{&told_of_end, watching}, last_{*this, down{of, std::move(name), {}, false}} {}

  [[nodiscard]] const actor_id* monitored() const noexcept override { return &last_.message.who; }

private:
  struct last_word final : sent_of<down> {
    last_word(down_node& in, down&& text) : sent_of<down>{table, std::move(text)}, node{in} {}
    down_node& node;

    static bool run(actor_block& of, envelope& self) {
      if (static_cast<last_word&>(self).node.is_canceled) return true;
      return sent<A, down>::run(of, self);
    }
    static void finish(envelope& self, handler_failure) noexcept {
      static_cast<last_word&>(self).node.end_with_last();
    }
    static void drop(envelope& self, ask_errc) noexcept { finish(self, nullptr); }

    static constexpr envelope_table table = embedded(sent<A, down>::table, &run, &finish, &drop);
  };

  // Of an incarnation: there may be many, so each gets memory of its own.
  static constexpr envelope_table notice = uncounted(sent<A, down>::table);

  static void told_of_end(watcher& self, const exit_reason& why, bool restarts) noexcept {
    auto& mine = static_cast<down_node&>(self);
    down& text = mine.last_.message;
    if (!restarts) {
      text.why = why;
      return mine.send_last(mine.last_);
    }
    try {
      auto* made = sent_of<down>::make(notice, down{text.who, text.name, why, true});
      mine.by.push_or_drop(*made);
    } catch (...) {  // No memory, while the actor goes on.
      report_undelivered({type_name<down>(), ask_errc::rejected});
    }
  }

  last_word last_;
};

}  // namespace detail
}  // namespace troupe::inline v0_1
