#pragma once

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include <caf/actor.hpp>
#include <caf/error.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/actor/protocol.hpp>
#include <troupe/actor/undelivered.hpp>
#include <troupe/caf/detail/neighbours.hpp>
#include <troupe/caf/detail/sink.hpp>

namespace troupe::inline v0_1::detail {

/// The CAF actor of a bridge has ended; null for a normal end.
struct caf_actor_ended {
  std::exception_ptr why;
};

/// Calls one of these when `of` has ended, or has already: `kill` where it was killed.
void when_caf_actor_ends(const ::caf::actor& of, std::function<void(caf_actor_ended)> tell,
                         std::function<void()> kill);

/// The troupe actor that stands for a CAF actor: what does not depend on the protocol. Its handlers
/// only put into CAF's mailboxes, so that a request has no stop here: it runs in its caller's turn.
class caf_bridge : public actor {
public:
  explicit caf_bridge(std::unique_ptr<caf_hold> hold) noexcept : hold_{std::move(hold)} {}
  caf_bridge(const caf_bridge&) = delete;
  caf_bridge& operator=(const caf_bridge&) = delete;

  void on(caf_actor_ended end) { end.why ? self().fail(end.why) : self().stop(); }

protected:
  /// Passes on to the CAF actor that somebody stops or kills it.
  ~caf_bridge();

  std::unique_ptr<caf_hold> hold_;
};

/// How a bridge takes one item of its protocol.
template <class Bridge, class Item, class Answer = typename protocol_item<Item>::answer>
struct caf_item {
  using message = typename protocol_item<Item>::message;
  void on(message m, reply<Answer> back) {
    static_cast<Bridge*>(this)->template ask_caf<Answer>(std::move(m), std::move(back));
  }
};
template <class Bridge, class Item>
struct caf_item<Bridge, Item, no_answer> {
  using message = typename protocol_item<Item>::message;
  void on(message m) { static_cast<Bridge*>(this)->tell_caf(std::move(m)); }
};

template <class Protocol>
class caf_bridge_of;
template <class... Items>
class caf_bridge_of<protocol<Items...>> final
    : public caf_bridge,
      public caf_item<caf_bridge_of<protocol<Items...>>, Items>... {
public:
  using caf_bridge::caf_bridge;
  using caf_bridge::on;
  using caf_item<caf_bridge_of, Items>::on...;

  template <class Answer, class M>
  void ask_caf(M&& content, reply<Answer> back) {
    static_assert(std::is_copy_constructible_v<M>,
                  "CAF shares its messages: what CAF actors are sent has to be copyable");
    ::caf::actor_control_block* to = hold_->get();
    if (to == nullptr) return back.fail(ask_errc::receiver_gone);
    request_from_caf<Answer>(*to, std::forward<M>(content), std::move(back));
  }
  template <class M>
  void tell_caf(M&& content) {
    static_assert(std::is_copy_constructible_v<M>,
                  "CAF shares its messages: what CAF actors are sent has to be copyable");
    ::caf::actor_control_block* to = hold_->get();
    if (to == nullptr) {
      return report_undelivered({caf_type_name<M>(), ask_errc::receiver_gone});
    }
    to->get()->enqueue(::caf::make_mailbox_element(nullptr, ::caf::make_message_id(), {},
                                                   std::forward<M>(content)),
                       nullptr);
  }
};

}  // namespace troupe::inline v0_1::detail
