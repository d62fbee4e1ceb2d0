#pragma once

#include <memory>
#include <utility>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include <troupe/actor/ref.hpp>
#include <troupe/caf/detail/bridge.hpp>
#include <troupe/caf/detail/proxy.hpp>
#include <troupe/caf/messages.hpp>

namespace troupe::inline v0_1 {

class caf_system;

namespace detail {

/// Requires: the system has not ended.
[[nodiscard]] ::caf::actor_system& actor_system_of(const caf_system& system);
[[nodiscard]] std::shared_ptr<caf_neighbours> neighbours_of(const caf_system& system);

template <class... Items>
::caf::actor to_caf(const caf_system& system, ref<protocol<Items...>> to) {
  ::caf::actor_system& owner = actor_system_of(system);
  std::shared_ptr<caf_neighbours> among = neighbours_of(system);
  ::caf::actor_config config;
  auto proxy = ::caf::make_actor<caf_proxy_of<protocol<Items...>>, ::caf::actor>(
      owner.next_actor_id(), owner.node(), &owner, config, among, std::move(to));
  among->add(::caf::actor_cast<::caf::strong_actor_ptr>(proxy));
  static_cast<caf_proxy_of<protocol<Items...>>*>(::caf::actor_cast<::caf::abstract_actor*>(proxy))
      ->start();
  return proxy;
}

}  // namespace detail

/// A CAF actor that stands for one of troupe. Each message that the protocol lists is a CAF message
/// with that struct as its one element; the answer is one of the answer's type, or empty for void.
///
/// - It keeps the actor alive like a ref. CAF actors send to it, request, delegate, compose it,
///   monitor it and link to it. A call makes a new one, which is equal to no other.
/// - A full mailbox fails a request with sec::runtime_error, and a message is undelivered: CAF
///   cannot wait. Any other message fails with sec::unexpected_message, or is undelivered. A
///   request that names no answer is answered when it is in the mailbox.
/// - Failures of a request: sec::request_receiver_down when the actor has ended, else
///   sec::runtime_error with the text.
/// - The end of the actor: down_msg and exit_msg with no reason for a normal end, with
///   exit_reason::kill, or sec::runtime_error with the text of what it failed with. An exit_msg
///   with a reason stops the actor; with exit_reason::kill it kills it.
///
/// Threads: workers. Bounds: about 1 us for a request, see `./dev bench --work caf`.
/// Example: `caf::actor sums = to_caf(system, ref<protocol<add, int(total)>>{counter});`
template <class... Items>
::caf::actor to_caf(const caf_system& system, ref<protocol<Items...>> to) {
  return detail::to_caf(system, std::move(to));
}
/// The same for a ref that has to be converted: `to_caf<protocol<add, total>>(system, counter)`.
template <class Protocol, class A>
  requires(detail::is_protocol<Protocol> && detail::fulfils<A, Protocol>)::caf::actor
to_caf(const caf_system& system, const ref<A>& to) {
  return detail::to_caf(system, ref<Protocol>{to});
}

/// A ref to a CAF actor: send() and ask() for what the protocol lists, each message as to_caf() has
/// it. An item without an answer is a message that nobody answers.
///
/// Behind it stands a small actor of troupe; a request runs within its caller's turn up to the CAF
/// actor's mailbox, which has no bound. Deadlines are troupe's; a late answer is dropped.
///
/// - Errors of ask(): `receiver_gone` when the CAF actor, or its system, had ended; `rejected` when
///   it does not handle the message; `broken_reply` when it dropped its promise; `receiver_failed`
///   when it answered with an error, or with another type than the protocol says, or has thrown.
///   The exception's text has CAF's words.
/// - down and ended(): when the CAF actor has ended, after the requests that the ref had before. A
///   normal end, user_shutdown and unreachable are `stopped`, exit_reason::kill is `killed`, all
///   others are `failed`, with the text.
/// - stop() and kill() of the ref, also by a link, send the CAF actor an exit_msg: user_shutdown or
///   kill. The end of the runtime stops it so, too. When the last ref is gone it goes on.
///
/// Threads: workers. Bounds: one actor; about 1 us for a request, see `./dev bench --work caf`. A
///          CAF actor that outlives many such refs keeps a small functor for each.
/// Example:
///     auto sums = from_caf<protocol<add, int(total)>>(system, actor);
///     int sum = co_await sums.ask(total{}, within(50ms));
template <class Protocol>
  requires detail::is_protocol<Protocol>
ref<Protocol> from_caf(const caf_system& system, const ::caf::actor& to) {
  using bridge = detail::caf_bridge_of<Protocol>;
  actor_options options;
  options.name = "CAF actor " + std::to_string(to.id());
  options.unbounded = true;
  auto made = spawn<bridge>(std::move(options),
                            std::make_unique<detail::caf_hold>(detail::neighbours_of(system), to));
  weak_ref<bridge> known{made};
  detail::when_caf_actor_ends(
      to,
      [known](detail::caf_actor_ended end) {
        if (auto living = known.lock()) (void)living->try_send(std::move(end));
      },
      [known] {
        if (auto living = known.lock()) living->kill();
      });
  return made;
}

}  // namespace troupe::inline v0_1
