#pragma once

#include <optional>
#include <utility>

#include <troupe/actor/actor.hpp>

namespace troupe::inline v0_1::actors {

/// Sends a copy of a message to an actor every period, first when one is over.
///
/// It does not keep its target alive, and ends with it; until then it lives also without a ref to
/// it, or until it is stopped. A message that finds no room in the target's mailbox is left out.
///
/// Requires: M can be copied. Example:
///     auto c = spawn<poller>();   // Has an on(poll).
///     spawn<actors::ticker<poll>>(c, 1s);
template <class M>
class ticker final : public actor {
public:
  ticker(const ref<protocol<M>>& target, duration period, M message = M{})
      : target_{target}, period_{period}, message_{std::move(message)} {}

  struct tick {};
  void on(tick) {
    auto living = target_.lock();
    if (!living) return self().stop();
    M copy = message_;
    (void)living->try_send(std::move(copy));
  }
  void on(const down& of_target) {
    if (!of_target.restarts) self().stop();
  }

  void on_start() {
    auto living = target_.lock();
    if (!living) return self().stop();
    alive_ = self(this).address();
    self(this).monitor(*living);
    self(this).send_every(period_, tick{});
  }

private:
  weak_ref<protocol<M>> target_;
  duration period_;
  M message_;
  std::optional<ref<ticker>> alive_;
};

}  // namespace troupe::inline v0_1::actors
