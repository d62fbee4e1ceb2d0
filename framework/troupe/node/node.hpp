#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <troupe/actor/notice.hpp>
#include <troupe/node/detail/client_link.hpp>
#include <troupe/node/detail/exported.hpp>
#include <troupe/node/detail/remote_actor.hpp>
#include <troupe/node/options.hpp>
#include <troupe/task/task.hpp>

namespace troupe::inline v0_1 {

namespace detail {

class node_core;
}  // namespace detail

/// A node that this one has connected to. A copy is another handle of the same link.
///
/// The link is made again whenever it is lost, with pauses that grow from node_options::first_retry
/// to last_retry, as long as such a handle, or a ref that was found through it, exists.
/// Threads: any, but for what is awaited: workers.
class remote_node {
public:
  /// Looks up what the other node has published under `name`: `Protocol`, or some of it.
  ///
  /// The ref is like any other: send() waits while too much is on its way, a request has its
  /// deadline there as here, monitors and links work. Differences:
  ///
  /// - When the link is lost, requests that wait fail at once with `node_down`; so do all that are
  ///   made until the name is found again at the other node, and messages are then reported as
  ///   undelivered. The ref itself stays, and works again after that.
  /// - A monitor gets `down` with `restarts` set at each loss of the link, and of each incarnation
  ///   there. A link between actors kills: nobody knows how the other one is.
  /// - stop() and kill() travel; after it this ref is of no use, also where the link was down.
  /// - What was sent and has not been answered may or may not have come: at most once. Order is
  ///   kept for each connection.
  /// - Cycles of requests over several nodes end by their deadlines.
  ///
  /// Errors: system_error of ask_errc: `no_route` when nothing has that name, `rejected` when what
  ///         has it differs, in words that name both; `node_down`.
  /// Bounds: one actor here; there one task, and node_options::window_bytes of messages.
  /// Example: `auto bank = co_await there.find<protocol<deposit, balance>>("bank");`
  template <class Protocol>
  [[nodiscard]] task<ref<Protocol>> find(std::string name) const {
    static_assert(detail::is_protocol<Protocol>,
                  "find<protocol<...>>(name): an actor at another node has no class here");
    auto target = co_await detail::client_link::find(link_, std::move(name),
                                                     detail::specs_of<Protocol>::all());
    ref<Protocol> found = stand_in<Protocol>(target);
    co_return found;
  }

  /// Returns: true while the link is up.
  [[nodiscard]] bool is_up() const { return link_->is_up(); }
  /// Waits until the link is up. Errors: system_error of node_errc::stopped, with this node's end.
  [[nodiscard]] task<> up() const { return link_->up(); }
  /// Waits until the link is down.
  [[nodiscard]] task<> down() const { return link_->down(); }
  /// Returns: what the node calls itself.
  [[nodiscard]] std::string name() const { return link_->peer_name(); }
  [[nodiscard]] const std::string& address() const noexcept { return link_->address(); }

private:
  friend class node;
  explicit remote_node(std::shared_ptr<detail::client_link> link) noexcept
      : link_{std::move(link)} {}

  template <class Protocol>
  static ref<Protocol> stand_in(std::shared_ptr<detail::remote_target> target) {
    using actor_type = detail::remote_actor_of<Protocol>;
    actor_options options;
    options.name = target->title();
    detail::remote_target& told = *target;
    auto made = spawn<actor_type>(std::move(options), std::move(target));
    told.tell([known = weak_ref<actor_type>{made}](detail::remote_news news) {
      auto living = known.lock();
      if (!living) return;
      news.how == exit_kind::killed ? living->kill() : notify(*living, std::move(news));
    });
    return made;
  }

  std::shared_ptr<detail::client_link> link_;
};

/// This process, or this runtime, among others: publishes actors, and finds those of others.
///
/// Nodes are linked by TCP. What they may do to each other is bounded by node_options; who may
/// connect is the matter of node_options::security.
///
/// While one exists its runtime does not count as quiescent. The destructor ends all links at once;
/// shut_down() sends first what was answered.
/// Threads: workers.
/// Example:
///     node_options options;
///     options.listen_on = "127.0.0.1:7000";
///     node here = co_await node::start(options);
///     here.publish("bank", ref<protocol<deposit, balance>>{bank});
class node {
public:
  /// Reads the files of `options.security`, listens, and lets other nodes in.
  /// Errors: system_error: of the address; node_errc::unsafe_address; tls::errc::unusable_setting.
  [[nodiscard]] static task<node> start(node_options options);

  node(node&&) noexcept = default;
  node& operator=(node&&) = delete;
  ~node();

  /// Lets other nodes find `to` under `name`, and holds it. The name is free again when the actor
  /// has ended. Errors: system_error of node_errc::name_taken; nothing is changed then.
  template <class... Items>
  void publish(std::string name, ref<protocol<Items...>> to) {
    add(std::move(name), std::make_shared<detail::exported_ref<protocol<Items...>>>(std::move(to)));
  }
  /// The same for a ref that has to be converted: `publish<protocol<deposit>>("bank", savings)`.
  template <class Protocol, class A>
    requires(detail::is_protocol<Protocol> && detail::fulfils<A, Protocol>)
  void publish(std::string name, const ref<A>& to) {
    publish(std::move(name), ref<Protocol>{to});
  }
  /// Frees a name. Those that have found it go on with what they have.
  void unpublish(const std::string& name);

  /// Connects to a node, or takes the link that there is to this address.
  /// Errors: system_error of the first attempt: of the system, of TLS, and node_errc with words.
  /// Example: `remote_node there = co_await here.connect("127.0.0.1:7000");`
  [[nodiscard]] task<remote_node> connect(std::string address);

  /// Ends all links in order, and waits for their end: what was answered goes out, for a second at
  /// most. Refs to other nodes fail with node_down from then on. Published actors are let go of.
  [[nodiscard]] task<> shut_down();

  /// Returns: the port that it listens at; 0 for none.
  [[nodiscard]] std::uint16_t port() const noexcept;
  [[nodiscard]] const std::string& name() const noexcept;

private:
  explicit node(std::shared_ptr<detail::node_core> core) noexcept : core_{std::move(core)} {}
  void add(std::string name, std::shared_ptr<detail::exported> what);

  std::shared_ptr<detail::node_core> core_;
};

}  // namespace troupe::inline v0_1
