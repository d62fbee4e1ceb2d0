#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <actors/pool_worker.hpp>
#include <actors/routers.hpp>
#include <troupe/pal/mutex.hpp>

namespace troupe::inline v0_1::actors {

/// How a pool is set up: `pool_options options{.size = 8, .how = {.max_restarts = 10}};`
struct pool_options {
  std::size_t size = 1;    ///< Workers, from 1 on.
  supervision how{};       ///< Of each worker.
  actor_options worker{};  ///< Of each worker; it drains in any case.
};

/// Asks the keeper of a pool for so many workers.
struct resize {
  using reply = void;
  std::size_t size;
};

/// Tells it to end the workers.
struct end_pool {};

/// The workers of a pool at present; shared by its handles, its keeper and its front.
template <class A, class Router>
class pool_table {
public:
  using worker = pool_worker<A>;

  template <class M>
  [[nodiscard]] typename worker::hold pick(const M& message) {
    pal::lock guard{mutex_};
    return typename worker::hold{workers_[router_.pick(workers_, message)]};
  }
  [[nodiscard]] std::vector<std::shared_ptr<worker>> workers() const {
    pal::lock guard{mutex_};
    return workers_;
  }
  [[nodiscard]] std::size_t size() const {
    pal::lock guard{mutex_};
    return workers_.size();
  }
  /// Puts others in their place. Returns: the former ones, to be let go of without the lock.
  std::vector<std::shared_ptr<worker>> replace(std::vector<std::shared_ptr<worker>> by) {
    pal::lock guard{mutex_};
    router_.resized(by.size());
    return std::exchange(workers_, std::move(by));
  }

private:
  mutable pal::mutex mutex_;
  std::vector<std::shared_ptr<worker>> workers_;
  Router router_;
};

/// Makes the workers of a pool, changes their number, and ends them.
template <class A, class Router>
class pool_keeper final : public actor {
public:
  using table = pool_table<A, Router>;
  using make_worker = std::function<std::shared_ptr<pool_worker<A>>()>;

  pool_keeper(std::shared_ptr<table> workers, make_worker make) noexcept
      : workers_{std::move(workers)}, make_{std::move(make)} {}

  void on_start() {
    for (const auto& each : workers_->workers()) self(this).monitor(each->above());
  }
  void on(resize m, reply<void> back) {
    auto changed = workers_->workers();
    try {
      while (changed.size() < m.size) {
        changed.push_back(make_());
        self(this).monitor(changed.back()->above());
      }
      changed.resize(m.size);
      workers_->replace(std::move(changed));
    } catch (...) {
      return back.fail(std::current_exception());
    }
    back.answer();
  }
  void on(end_pool) { self().stop(); }
  /// A worker's supervisor has given up: so does the pool.
  void on(const down& ended) {
    if (ended.why.error) self().fail(ended.why.error);
  }
  task<> on_stop() {
    auto all = workers_->workers();
    for (const auto& each : all) each->above().stop();
    // Not only the supervisors: one that has not adopted its worker yet ends before it.
    for (const auto& each : all) co_await each->address().ended();
  }

private:
  std::shared_ptr<table> workers_;
  make_worker make_;
};

template <class Pool, class... Items>
class pool_front;

/// Workers of class A behind one address; copied freely, like a ref. See spawn_pool().
///
/// send, try_send and ask are those of a ref, to a worker that the router chooses, and go there
/// without a stop in between. When the last handle is gone the workers do their mail and end.
/// Threads: as for a ref.
template <class A, class Router = round_robin>
class pool {
public:
  pool(std::shared_ptr<pool_table<A, Router>> workers, ref<pool_keeper<A, Router>> keeper) noexcept
      : workers_{std::move(workers)}, keeper_{std::move(keeper)} {}

  /// Sends to one worker; waits for room with that one. Otherwise as ref::send().
  template <class M>
  [[nodiscard("nothing is sent: co_await it")]] auto send(M&& message) const {
    auto to = workers_->pick(message);
    auto op = to.address().send(std::forward<M>(message));
    return routed(std::move(to), std::move(op));
  }
  template <class M>
  [[nodiscard("nothing is sent: co_await it")]] auto send(taken<M> message) const {
    auto to = workers_->pick(*message.from);
    auto op = to.address().send(message);
    return routed(std::move(to), std::move(op));
  }

  /// Sends without waiting: where the router may choose, `mailbox_full` means that all are full.
  /// Otherwise as ref::try_send().
  template <class M>
  result<void> try_send(M&& message) const {
    std::size_t tries = Router::may_choose ? size() : 1;
    for (;;) {
      auto to = workers_->pick(message);
      result<void> sent = to.address().try_send(std::forward<M>(message));
      if (sent || --tries == 0) return sent;
    }
  }

  /// Asks one worker. Otherwise as ref::ask().
  template <class M>
  [[nodiscard("nothing is asked: co_await it")]] auto ask(M&& message, ask_limit limit = {}) const {
    auto to = workers_->pick(message);
    auto op = to.address().ask(std::forward<M>(message), limit);
    return routed(std::move(to), std::move(op));
  }
  template <class M>
  [[nodiscard("nothing is asked: co_await it")]] auto ask(taken<M> message,
                                                          ask_limit limit = {}) const {
    auto to = workers_->pick(*message.from);
    auto op = to.address().ask(message, limit);
    return routed(std::move(to), std::move(op));
  }

  /// The forms that make the message in place, as those of ref.
  template <class M, class... Fields>
    requires(!std::is_same_v<std::tuple<std::remove_cvref_t<Fields>...>, std::tuple<M>> &&
             !(std::derived_from<std::remove_cvref_t<Fields>, ask_limit> || ...))
  [[nodiscard("nothing is asked: co_await it")]] auto ask(Fields&&... fields) const {
    M message{std::forward<Fields>(fields)...};
    return ask(troupe::take(message));
  }
  template <class M, std::derived_from<ask_limit> Limit, class... Fields>
  [[nodiscard("nothing is asked: co_await it")]] auto ask(Limit limit, Fields&&... fields) const {
    M message{std::forward<Fields>(fields)...};
    return ask(troupe::take(message), limit);
  }

  /// Sends a copy to each worker, one after the other. Returns: how many have taken it.
  template <class M>
  task<std::size_t> broadcast(M message) const {
    auto all = workers_->workers();
    std::size_t taken = 0;
    for (const auto& each : all) {
      M copy = message;
      auto sent = co_await each->address().send(troupe::take(copy)).as_result();
      if (sent) ++taken;
    }
    co_return taken;
  }

  /// Changes the number of workers. Those above it take no more, do what they have, and end; what
  /// is on its way to one of them still comes to it. Requires: `size` above zero.
  /// Errors: what the constructor of a worker throws, as `receiver_failed`; then nothing changes.
  [[nodiscard("nothing is asked: co_await it")]] auto resize(std::size_t size) const {
    if (size == 0) misuse("pool::resize(size): a pool has at least one worker [A19]");
    return keeper_.ask(actors::resize{size});
  }
  [[nodiscard]] std::size_t size() const { return workers_->size(); }

  /// Returns: the addresses of the workers, such as for ask_all().
  [[nodiscard]] std::vector<ref<A>> workers() const {
    std::vector<ref<A>> all;
    for (const auto& each : workers_->workers()) all.push_back(each->address());
    return all;
  }

  /// Starts an actor that passes on what a protocol lists, for who wants a ref. A request goes on
  /// without its sender waiting for room: it fails with `mailbox_full` where its worker has none.
  /// Example: `ref<protocol<deposit, balance>> any = books.template front<deposit, balance>();`
  template <class... Items>
  [[nodiscard]] ref<protocol<Items...>> front() const {
    return spawn<pool_front<pool, Items...>>(*this);
  }

  /// Ends the workers after the mail that they have. Threads: any.
  void stop() const {
    // As mail: an actor that is stopped before its on_start has no on_stop.
    if (!keeper_.try_send(end_pool{})) keeper_.stop();
  }
  /// Waits for the end of all of them.
  [[nodiscard]] auto ended() const { return keeper_.ended(); }

  /// For pool_front: passes a request on.
  template <class M, class T>
  void delegate(M message, reply<T> back) const {
    auto to = workers_->pick(message);
    to.address().delegate(std::move(message), std::move(back));
  }

private:
  template <class Op>
  static auto routed(typename pool_worker<A>::hold to, Op op) {
    return routed_operation<A, Op>{std::move(to), std::move(op)};
  }

  std::shared_ptr<pool_table<A, Router>> workers_;
  ref<pool_keeper<A, Router>> keeper_;
};

/// What a front does with one item of its protocol.
template <class Pool, class M>
class front_part {
protected:
  ~front_part() = default;
  virtual const Pool& pool_of_front() const noexcept = 0;

  task<> pass_on(M m) {
    auto sent = co_await pool_of_front().send(troupe::take(m)).as_result();
    if (sent) co_return;
    // Nobody else hears of it.
    auto why = static_cast<ask_errc>(sent.error().value());
    report_undelivered({"a message to the front of a pool", why});
  }
};
template <class Pool, class Item>
class front_of_item : public front_part<Pool, Item> {
public:
  task<> on(Item m) { return this->pass_on(std::move(m)); }
};
template <class Pool, class T, class M>
class front_of_request : public front_part<Pool, M> {
public:
  task<> on(M m, reply<T> back) {
    if (back.to() == nullptr) {  // It was sent.
      co_await this->pass_on(std::move(m));
    } else {
      this->pool_of_front().delegate(std::move(m), std::move(back));
    }
  }
};
template <class Pool, class R, class M>
class front_of_item<Pool, R(M)> : public front_of_request<Pool, R, M> {};
template <class Pool, class M>
  requires requires { typename M::reply; }
class front_of_item<Pool, M> : public front_of_request<Pool, typename M::reply, M> {};

/// A pool as an actor; see pool::front().
template <class Pool, class... Items>
class pool_front final : public actor, public front_of_item<Pool, Items>... {
public:
  explicit pool_front(Pool to) noexcept : to_{std::move(to)} {}
  using front_of_item<Pool, Items>::on...;

private:
  const Pool& pool_of_front() const noexcept override { return to_; }
  Pool to_;
};

/// Starts a pool of actors of class A, each made of copies of `args` and under a supervisor.
///
/// A worker that ends, in whatever way, is replaced: by its supervisor, so that it keeps its mail,
/// and only what it was at fails. One that ends too often, as `options.how` says, ends the pool: it
/// is over as after stop(), and `ended()` tells the failure. Nothing is lost in silence: what was
/// accepted is run, fails its request, or is reported as undelivered.
///
/// Returns: a handle. Errors: what A's constructor throws. Requires: options.size above zero.
/// Bounds:  two actors for each worker; a lock of a few instructions for each message.
/// Example:
///     auto resizers = actors::spawn_pool<resizer>(8);
///     image small = co_await resizers.ask<shrink>(big);
template <std::derived_from<actor> A, class Router = round_robin, class... Args>
pool<A, Router> spawn_pool(pool_options options, Args&&... args) {
  if (options.size == 0) misuse("spawn_pool(size): a pool has at least one worker [A20]");
  child_options child{std::move(options.worker), child_kind::permanent};
  child.actor.drain = true;
  auto make = [child, how = options.how,
               ... args = std::decay_t<Args>(std::forward<Args>(args))]() {
    auto above = spawn<supervisor>(how);
    auto made = spawn_child<A>(above, child, args...);
    return std::make_shared<pool_worker<A>>(std::move(above), std::move(made));
  };
  std::vector<std::shared_ptr<pool_worker<A>>> workers;
  while (workers.size() < options.size) workers.push_back(make());
  auto table = std::make_shared<pool_table<A, Router>>();
  table->replace(std::move(workers));
  auto keeper = spawn<pool_keeper<A, Router>>(table, std::move(make));
  return pool<A, Router>{std::move(table), std::move(keeper)};
}
template <std::derived_from<actor> A, class Router = round_robin, class... Args>
pool<A, Router> spawn_pool(std::size_t size, Args&&... args) {
  pool_options options;
  options.size = size;
  return spawn_pool<A, Router>(std::move(options), std::forward<Args>(args)...);
}

}  // namespace troupe::inline v0_1::actors
