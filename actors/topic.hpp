#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <troupe/actor/actor.hpp>

namespace troupe::inline v0_1::actors {

/// What becomes of a message for a subscriber whose mailbox is full.
enum class slow : unsigned char {
  wait,         ///< The topic waits for it, and so, in the end, do those who publish.
  drop_newest,  ///< It does not get this one.
  drop_oldest,  ///< The topic keeps the newest `keep` for it; what is in its mailbox stays.
  disconnect,   ///< It is subscribed no more, and told so.
  kill,         ///< It is killed: for who cannot be told, as it waits for a slow peer itself.
};

/// Tells a subscriber that has an `on(missed)` how many messages it did not get since the last one
/// that it got; comes before the next one.
struct missed {
  std::size_t count;
};
/// Tells a subscriber that has an `on(disconnected)` that it was too slow and gets no more. Comes
/// after all that it got.
struct disconnected {
  std::size_t count;  ///< Of the messages that it did not get, this time and before.
};

/// How a subscriber fares.
struct subscriber_state {
  std::string name;
  std::size_t delivered = 0;
  std::size_t dropped = 0;
  std::size_t kept = 0;  ///< At the topic, for drop_oldest.
};
/// Asks a topic for all of them.
struct list_subscribers {
  using reply = std::vector<subscriber_state>;
};
/// Asks a topic how many it has, how many have left it, and what it has dropped for all of them.
struct topic_totals {
  std::size_t subscribers = 0;
  std::size_t disconnected = 0;  ///< By slow::disconnect and slow::kill.
  std::size_t dropped = 0;
};
struct count_totals {
  using reply = topic_totals;
};

/// How a topic reaches a subscriber, without keeping it alive. For subscribe().
template <class T>
struct subscription {
  using reply = void;

  template <class B>
  subscription(const ref<B>& whom, slow how, std::size_t keep_at_most)
      : who{ref<protocol<>>{whom}}, to{ref<protocol<T>>{whom}}, policy{how}, keep{keep_at_most} {
    if constexpr (std::is_convertible_v<const ref<B>&, ref<protocol<missed>>>) {
      to_tell_missed.emplace(ref<protocol<missed>>{whom});
    }
    if constexpr (std::is_convertible_v<const ref<B>&, ref<protocol<disconnected>>>) {
      to_tell_end.emplace(ref<protocol<disconnected>>{whom});
    }
  }

  weak_ref<protocol<>> who;
  weak_ref<protocol<T>> to;
  std::optional<weak_ref<protocol<missed>>> to_tell_missed;
  std::optional<weak_ref<protocol<disconnected>>> to_tell_end;
  slow policy;
  std::size_t keep;
};

/// Ends a subscription. For unsubscribe().
struct unsubscription {
  using reply = void;
  actor_id who;
};

/// Gives each message that it is sent to all who have subscribed, in the order in which they come:
/// `co_await news.send(article{...})` publishes.
///
/// Subscribers are held weakly, and forgotten at their end; one that its supervisor starts anew
/// stays. A topic without a ref ends when it has given what it keeps. Each says by a `slow` what
/// becomes of a message that finds its mailbox full. What was dropped is counted, and told: see
/// `missed`, `disconnected`, `list_subscribers`.
///
/// Requires: T can be copied; share what is large: topic<std::shared_ptr<const page>>.
/// Errors:   where a subscriber with slow::wait waits for the topic while that waits for it, either
///           its request fails with `deadlock`, or it misses the message.
/// Bounds:   per subscriber a monitor and a node of a map; with drop_oldest, while it is slow, a
///           task and `keep` messages.
/// Example:
///     auto news = spawn<actors::topic<article>>();
///     co_await actors::subscribe(news, reader, actors::slow::drop_oldest, 10);
///     co_await news.send(first);
template <class T>
class topic final : public actor {
  static_assert(std::is_copy_constructible_v<T>, "each subscriber of a topic<T> gets a copy of T");

public:
  task<> on(T message) {
    actor_id id;
    // While it waits some may come or go.
    for (auto at = all_.begin(); at != all_.end(); at = all_.upper_bound(id)) {
      id = at->first;
      subscriber_ptr to = at->second;
      if (!deliver(id, to, message)) co_await wait_and_send(to, message);
    }
  }

  void on(subscription<T> m) {
    auto living = m.who.lock();
    if (!living) return;
    actor_id id = living->id();
    if (all_.find(id) == all_.end()) self(this).monitor(*living);
    auto made = std::make_shared<subscriber>(std::move(m), living->name());
    part_from(id);
    all_.insert_or_assign(id, std::move(made));
  }
  void on(unsubscription m) { forget(m.who); }
  void on(const down& ended) {
    if (!ended.restarts) forget(ended.who);
  }

  std::vector<subscriber_state> on(list_subscribers) const {
    std::vector<subscriber_state> states;
    for (const auto& [id, each] : all_) {
      states.push_back({each->name, each->delivered, each->dropped, each->kept.size()});
    }
    return states;
  }
  topic_totals on(count_totals) const { return {all_.size(), disconnected_, dropped_}; }

private:
  struct subscriber {
    subscriber(subscription<T>&& by, std::string called)
        : how{std::move(by)}, name{std::move(called)} {}
    subscription<T> how;
    std::string name;
    std::size_t delivered = 0;
    std::size_t dropped = 0;
    std::size_t untold = 0;  // Of the dropped ones.
    std::deque<T> kept;
    bool is_pumped = false;
    bool is_over = false;
  };
  using subscriber_ptr = std::shared_ptr<subscriber>;

  // Returns: false when it has to be waited for.
  bool deliver(const actor_id& id, const subscriber_ptr& to, const T& message) {
    if (to->is_pumped) {
      keep(*to, message);
      return true;
    }
    auto living = to->how.to.lock();
    if (!living) return true;
    if (tell_missed(*to)) {
      T copy = message;
      if (living->try_send(std::move(copy))) {
        ++to->delivered;
        return true;
      }
    }
    if (living->has_ended()) return true;
    switch (to->how.policy) {
      case slow::wait:
        return false;
      case slow::drop_oldest:
        keep(*to, message);
        self().spawn([this, to] { return pump(to); });
        to->is_pumped = true;
        return true;
      case slow::drop_newest:
        drop(*to);
        return true;
      default:
        drop(*to);
        part_with(id, *to);
        return true;
    }
  }
  void keep(subscriber& for_whom, const T& message) {
    for_whom.kept.push_back(message);
    if (for_whom.kept.size() <= for_whom.how.keep) return;
    for_whom.kept.pop_front();
    drop(for_whom);
  }

  // A send gives up at the deadline in force; here only the end of the subscriber is a reason.
  task<> wait_and_send(subscriber_ptr to, const T& message) {
    while (!to->is_over) {
      auto living = to->how.to.lock();
      if (!living) co_return;
      if (to->untold > 0) co_await wait_and_tell(*to);
      T copy = message;
      auto sent = co_await living->send(troupe::take(copy)).as_result();
      if (sent) {
        ++to->delivered;
        co_return;
      }
      if (sent.error() == ask_errc::deadlock) co_return drop(*to);
      if (sent.error() != ask_errc::mailbox_full) co_return;
    }
  }

  // Gives what is kept for one that is slow as it finds room. It runs while there is something, so
  // that a topic without a ref ends when all is given.
  task<> pump(subscriber_ptr to) {
    while (!to->is_over && !to->kept.empty()) {
      T next = std::move(to->kept.front());
      to->kept.pop_front();
      co_await wait_and_send(to, next);
    }
    to->is_pumped = false;
  }

  void drop(subscriber& of) noexcept {
    ++of.dropped;
    ++of.untold;
    ++dropped_;
  }
  // Returns: false when it should be told of what it missed, and has no room for that.
  bool tell_missed(subscriber& to) {
    if (to.untold == 0 || !to.how.to_tell_missed) return true;
    auto living = to.how.to_tell_missed->lock();
    if (living && !living->try_send(missed{to.untold})) return false;
    to.untold = 0;
    return true;
  }
  task<> wait_and_tell(subscriber& to) {
    std::size_t count = std::exchange(to.untold, 0);
    if (!to.how.to_tell_missed) co_return;
    auto living = to.how.to_tell_missed->lock();
    if (!living) co_return;
    auto told = co_await living->send(missed{count}).as_result();
    if (!told) to.untold += count;
  }
  void part_with(const actor_id& id, subscriber& slow_one) {
    ++disconnected_;
    if (slow_one.how.policy == slow::kill) {
      if (auto living = slow_one.how.who.lock()) living->kill();
    } else if (slow_one.how.to_tell_end) {
      if (auto living = slow_one.how.to_tell_end->lock()) {
        self().spawn(&tell_end, std::move(*living), slow_one.dropped);
      }
    }
    forget(id);
  }
  static task<> tell_end(ref<protocol<disconnected>> whom, std::size_t count) {
    for (;;) {
      auto told = co_await whom.send(disconnected{count}).as_result();
      if (told || told.error() != ask_errc::mailbox_full) break;
    }
  }

  void part_from(const actor_id& id) {
    auto found = all_.find(id);
    if (found == all_.end()) return;
    found->second->is_over = true;
    all_.erase(found);
  }
  void forget(const actor_id& id) {
    self(this).demonitor(id);
    part_from(id);
  }

  std::map<actor_id, subscriber_ptr> all_;
  std::size_t dropped_ = 0;
  std::size_t disconnected_ = 0;
};

/// Has `who` get what is published from here on; once more: with another policy. `keep` is for
/// slow::drop_oldest.
/// Errors: as ask(). Requires: `who` handles T.
template <class T, class B>
[[nodiscard("nothing is asked: co_await it")]] auto subscribe(const ref<topic<T>>& to,
                                                              const ref<B>& who,
                                                              slow policy = slow::wait,
                                                              std::size_t keep = 1) {
  static_assert(std::is_convertible_v<const ref<B>&, ref<protocol<T>>>,
                "subscribe(topic<T>, who): `who` has no handler on(T)");
  if (keep == 0) misuse("subscribe(..., keep): at least one message is kept [A25]");
  return to.ask(subscription<T>{who, policy, keep});
}

/// Has `who` get no more. Errors: as ask().
template <class T, class B>
[[nodiscard("nothing is asked: co_await it")]] auto unsubscribe(const ref<topic<T>>& from,
                                                                const ref<B>& who) {
  return from.ask(unsubscription{who.id()});
}

}  // namespace troupe::inline v0_1::actors
