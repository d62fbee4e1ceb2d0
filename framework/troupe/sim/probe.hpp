#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include <troupe/actor/actor.hpp>
#include <troupe/actor/protocol.hpp>
#include <troupe/actor/ref.hpp>
#include <troupe/base/take.hpp>
#include <troupe/sim/node.hpp>
#include <troupe/sim/world.hpp>

namespace troupe::inline v0_1::sim {

namespace detail {

/// Notes each message of one of these types.
template <class Notes, class... Ms>
class noting;
template <class Notes>
class noting<Notes> : public actor {
public:
  struct nothing {};
  void on(nothing) {}

protected:
  explicit noting(std::shared_ptr<Notes> into) : notes_{std::move(into)} {}
  std::shared_ptr<Notes> notes_;
};
template <class Notes, class M, class... Rest>
class noting<Notes, M, Rest...> : public noting<Notes, Rest...> {
public:
  using noting<Notes, Rest...>::on;
  void on(M message) { this->notes_->push_back(std::move(message)); }

protected:
  using noting<Notes, Rest...>::noting;
};

template <class... Ms>
class probe_actor final : public noting<std::deque<std::variant<Ms...>>, Ms...> {
public:
  using notes = std::deque<std::variant<Ms...>>;
  struct watch {
    std::function<void(probe_actor&)> begin;
  };
  using noting<notes, Ms...>::on;

  explicit probe_actor(std::shared_ptr<notes> into) : noting<notes, Ms...>{std::move(into)} {}
  void on(const watch& m) { m.begin(*this); }

  template <class B>
  void monitor(const ref<B>& other) {
    this->self(this).monitor(other);
  }
};

template <class T>
T answer_of(const troupe::detail::ask_operation<T>&);

}  // namespace detail

/// An actor of the test: it notes what it is sent, and the test asks for that in its order. With
/// `down` among its messages it can monitor others.
///
/// Threads: the world's, outside of all turns. It ends with its node.
/// Requires: the messages want no answer.
/// Example:
///     sim::probe<pong, down> probe{world, node};
///     player.try_send(ping{probe.ref()});
///     pong got = probe.expect<pong>();
///     probe.expect_nothing(1s);
template <class... Ms>
class probe {
public:
  probe(world& of, node& at)
      : world_{of},
        node_{at},
        notes_{std::make_shared<notes>()},
        actor_{at.block_on([into = notes_]() -> task<troupe::ref<made>> {
          co_return troupe::spawn<made>(into);
        })} {}

  [[nodiscard]] troupe::ref<protocol<Ms...>> ref() const { return actor_; }

  /// Has the probe told of the end of `other`, as `down`.
  template <class B>
  void monitor(const troupe::ref<B>& other) {
    ask({[other](made& me) { me.monitor(other); }});
  }

  /// Runs the world until the probe has a message, and takes it.
  /// Errors: violation when none comes within `limit`, or another one is first.
  template <class M>
  M expect(duration limit = std::chrono::seconds{1}) {
    world_.expect(
        fmt::format("a message comes within {} ns", limit.count()),
        [this] { return !notes_->empty(); }, limit);
    world_.check(std::holds_alternative<M>(notes_->front()),
                 "the message that comes is of the type");
    M got = std::get<M>(std::move(notes_->front()));
    notes_->pop_front();
    return got;
  }

  /// Runs the world for that long. Errors: violation when a message is there.
  void expect_nothing(duration length) {
    bool came = world_.run_until([this] { return !notes_->empty(); }, length);
    world_.check(!came, "no message comes");
  }

  /// Returns: how many messages have come that were not taken.
  [[nodiscard]] std::size_t count() const noexcept { return notes_->size(); }

private:
  using made = detail::probe_actor<Ms...>;
  using notes = typename made::notes;

  void ask(typename made::watch m) {
    node_.block_on([to = actor_, m = std::move(m)]() mutable -> task<> {
      co_await to.ask(take(m), no_deadline);
    });
  }

  world& world_;
  node& node_;
  std::shared_ptr<notes> notes_;
  troupe::ref<made> actor_;
};

/// Sends a message and runs the world until the actor has handled it.
///
/// It is a request of a task on that node, and comes to its turn as in a real run: behind the mail
/// that the actor has already, and among the turns of all others, in the order that the seed
/// chooses; one that overtook them would show what cannot be. In a world in which nothing is ready
/// (after `world.advance(0s)`) its handler is the next that runs. What that has made ready may run
/// before this returns. No time passes, unless the handler waits or turns take time.
/// Returns: what the handler returns. Errors: of ask(); sim::stuck as node::block_on().
/// Requires: the actor lives on that node.
/// Example: `sim::inject(node, account, deposit{5});`
template <class A, class M>
auto inject(node& at, const ref<A>& to, M message) {
  using answer = decltype(detail::answer_of(to.ask(take(message))));
  return at.block_on([to, message = std::move(message)]() mutable -> task<answer> {
    co_return co_await to.ask(take(message), no_deadline);
  });
}

}  // namespace troupe::inline v0_1::sim
