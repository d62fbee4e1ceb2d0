#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <troupe/actor/actor_id.hpp>
#include <troupe/actor/ask.hpp>
#include <troupe/actor/protocol.hpp>
#include <troupe/base/take.hpp>
#include <troupe/sched/block_on.hpp>

namespace troupe::inline v0_1 {

template <class A>
class weak_ref;

/// The address of an actor of class A, or of any that fulfils a `protocol<...>` A; copied freely.
/// While one exists the actor can be addressed, and goes on living; when the last one is gone it
/// does its mail and ends.
///
/// A ref may outlive its actor and its runtime: what is sent then fails with `receiver_gone`.
/// Threads: each copy by one thread at a time; try_send() and the destructor also by foreign ones.
template <class A>
class ref {
public:
  ref(const ref& other) noexcept : how_{other.how_}, block_{other.block_} {
    if (block_ != nullptr) block_->add_ref();
  }
  /// The same actor as one that fulfils a protocol.
  template <class B>
    requires(!detail::receiver<A>::is_class && detail::receiver<B>::is_class &&
             detail::fulfils<B, A>)
  ref(const ref<B>& other) noexcept : block_{other.block_} {
    how_.entries = detail::protocol_table<B, A>::entries.data();
    if (block_ != nullptr) block_->add_ref();
  }
  /// The same actor as one that fulfils a part of a protocol.
  template <class Whole>
    requires(!detail::receiver<A>::is_class && !detail::receiver<Whole>::is_class &&
             !std::is_same_v<A, Whole> && detail::place_in_protocol<A, Whole> != SIZE_MAX)
  ref(const ref<Whole>& other) noexcept : block_{other.block_} {
    how_.entries = other.how_.entries + detail::place_in_protocol<A, Whole>;
    if (block_ != nullptr) block_->add_ref();
  }
  ref(ref&& other) noexcept : how_{other.how_}, block_{std::exchange(other.block_, nullptr)} {}
  ref& operator=(ref other) noexcept {
    std::swap(block_, other.block_);
    std::swap(how_, other.how_);
    return *this;
  }
  ~ref() {
    if (block_ != nullptr) block_->drop_ref();
  }
  friend bool operator==(const ref&, const ref&) = default;

  /// Waits for room in the mailbox and sends. The wait is limited like a request.
  /// Requires: A has a handler on(M) for exactly this type. The ref lives until the await is over.
  /// Errors: ask_errc: `receiver_gone`; `mailbox_full` when the actor refuses to let senders wait,
  ///         or sends to itself.
  /// Cancel: nothing was sent.
  template <class M>
  [[nodiscard("nothing is sent: co_await it")]] auto send(
      M&& message, ask_limit limit = {},
      std::source_location where = std::source_location::current()) const {
    using plain = typename finder::template given<M>;
    check_rvalue<M>();
    detail::actor_block& to = block(where);
    return tell(to, new_message(plain(std::forward<M>(message))), limit);
  }
  template <class M>
  [[nodiscard("nothing is sent: co_await it")]] auto send(
      taken<M> message, ask_limit limit = {},
      std::source_location where = std::source_location::current()) const {
    detail::actor_block& to = block(where);
    return tell(to, new_message(std::move(*message.from)), limit);
  }

  /// Sends without waiting. Errors: ask_errc: `mailbox_full`, `receiver_gone`; `message` is then
  /// untouched. Threads: any.
  template <class M>
  result<void> try_send(M&& message,
                        std::source_location where = std::source_location::current()) const {
    using plain = typename finder::template given<M>;
    static_assert(std::is_nothrow_move_constructible_v<plain>, "try_send needs a nothrow move");
    if (block(where).has_ended()) return make_error_code(ask_errc::receiver_gone);
    bool may_drop = block().when_full() == overflow::drop_newest;
    if (!block().has_room() && !may_drop) return make_error_code(ask_errc::mailbox_full);
    auto* made = new_message(plain(std::forward<M>(message)));
    auto how = block().push_sent(*made);
    if (how == detail::message_queue::pushed::sent) return {};
    if constexpr (!std::is_lvalue_reference_v<M>) {
      std::destroy_at(&message);
      std::construct_at(&message, std::move(made->message));
    }
    detail::sent_of<plain>::finish(*made, nullptr);
    return make_error_code(how == detail::message_queue::pushed::full ? ask_errc::mailbox_full
                                                                      : ask_errc::receiver_gone);
  }

  /// Sends a request and waits for its answer, which has the type that A's handler on(M) returns.
  /// Errors: see ask_errc.
  /// Cancel: a request that the actor has not begun is withdrawn and never runs.
  /// Example: `std::int64_t sum = co_await counter.ask(total{});`
  template <class M>
  [[nodiscard("nothing is asked: co_await it")]] auto ask(
      M&& message, ask_limit limit = {},
      std::source_location where = std::source_location::current()) const {
    using plain = typename finder::template given<M>;
    check_rvalue<M>();
    return request_of<plain>(block(where), limit, std::forward<M>(message));
  }
  template <class M>
  [[nodiscard("nothing is asked: co_await it")]] auto ask(
      taken<M> message, ask_limit limit = {},
      std::source_location where = std::source_location::current()) const {
    return request_of<M>(block(where), limit, std::move(*message.from));
  }
  /// Makes the message in place: `ask<audit>("2026", 3)`; right on every compiler. A limit comes
  /// first: `ask<audit>(within(50ms), "2026", 3)`.
  template <class M, class... Fields>
    requires(!std::is_same_v<std::tuple<std::remove_cvref_t<Fields>...>, std::tuple<M>> &&
             !(std::derived_from<std::remove_cvref_t<Fields>, ask_limit> || ...))
  [[nodiscard("nothing is asked: co_await it")]] auto ask(Fields&&... fields) const {
    using plain = typename finder::template given<M>;
    return request_of<plain>(block(), ask_limit{}, plain{std::forward<Fields>(fields)...});
  }
  template <class M, std::derived_from<ask_limit> Limit, class... Fields>
  [[nodiscard("nothing is asked: co_await it")]] auto ask(Limit limit, Fields&&... fields) const {
    using plain = typename finder::template given<M>;
    return request_of<plain>(block(), limit, plain{std::forward<Fields>(fields)...});
  }

  /// Passes a request on, with its deadline: the answer of this actor goes to who asked first,
  /// without a stop here. When this actor has ended or has no room, the request fails with that.
  /// Threads: any.
  /// Example: `void on(audit m, reply<report> r) { clerk_.delegate(std::move(m), std::move(r)); }`
  template <class M, class T>
  void delegate(M message, reply<T> back) const {
    using made = detail::delegated_of<T, M>;
    made* passed = new_delegated(std::move(message), std::move(back));
    switch (block().push(*passed)) {
      case detail::message_queue::pushed::full:
        return made::drop(*passed, ask_errc::mailbox_full);
      case detail::message_queue::pushed::closed:
        return made::drop(*passed, ask_errc::receiver_gone);
      default:
        return;
    }
  }
  /// The same, but it waits for room, up to `limit`: then the request fails with `mailbox_full`.
  /// Requires: the ref lives until the await is over. Cancel: the request fails with broken_reply.
  template <class M, class T>
  [[nodiscard("nothing is passed on: co_await it")]] auto delegate_when_room(
      M message, reply<T> back, ask_limit limit = {}) const {
    return detail::tell_operation<detail::delegated_of<T, M>>{
        block(), *new_delegated(std::move(message), std::move(back)), limit};
  }

  /// ask() for threads that are no workers: blocks until the answer is there.
  /// Requires: its runtime is not destroyed meanwhile.
  /// Errors: as a system_error of ask_errc. Threads: foreign ones; on a worker it is a misuse.
  template <class M>
  auto ask_blocking(M message, ask_limit limit = {},
                    std::source_location where = std::source_location::current()) const {
    using value_type = typename finder::template answer<M>;
    return block_on(
        runtime_of_actor(),
        [&]() -> task<value_type> { co_return co_await ask(take(message), limit); }, where);
  }
  /// send() for threads that are no workers: blocks until there is room. Requires: as above.
  template <class M>
  void send_blocking(M message,
                     std::source_location where = std::source_location::current()) const {
    block_on(runtime_of_actor(), [&]() -> task<> { co_await send(take(message)); }, where);
  }

  /// Asks the actor to end after the handler it is in, and returns at once. Threads: any.
  void stop(std::source_location where = std::source_location::current()) const noexcept {
    block(where).stop();
  }
  /// The same, and asks that handler to stop; on_stop does not run. Threads: any.
  void kill() const noexcept { block().kill(); }

  /// Waits for the actor's end; not for that of an incarnation that is started anew. In a handler
  /// of that actor a misuse: it would wait for ever.
  /// Example: `exit_reason why = co_await worker.ended();`
  [[nodiscard]] auto ended(std::source_location where = std::source_location::current()) const {
    return detail::end_operation{block(where)};
  }

  [[nodiscard]] actor_id id() const noexcept { return {&block(), block().generation()}; }

  /// Returns: true when the actor takes no more mail.
  [[nodiscard]] bool has_ended() const noexcept { return block().has_ended(); }
  [[nodiscard]] std::string name() const { return block().name(); }

  /// For the framework.
  explicit ref(detail::actor_block& adopted) noexcept : block_{&adopted} {}
  [[nodiscard]] detail::actor_block& block(std::source_location where = {}) const {
    if (block_ == nullptr)
      misuse("a ref was used after it was moved from: copy it instead [A11]", where);
    return *block_;
  }

private:
  [[nodiscard]] executor& runtime_of_actor() const {
    if (has_ended()) throw_error(make_error_code(ask_errc::receiver_gone));
    return block().exec();
  }
  template <class M>
  static void check_rvalue() {
    static_assert(std::is_lvalue_reference_v<M> || detail::rvalue_is_safe_to_await<M>,
                  "g++ before 12.3 miscompiles this: write ask<M>(fields...) or ask(take(local))");
  }
  template <class M>
  auto* new_message(M&& message) const {
    return detail::sent_of<M>::make(how_.template to_send<M>(), std::move(message));
  }
  template <class M, class T>
  auto* new_delegated(M&& message, reply<T>&& back) const {
    using value_type = typename finder::template answer<M>;
    static_assert(std::is_same_v<T, value_type>, "that actor answers M with another type than T");
    if (auto* asked = back.to()) {
      asked->answer_by(detail::known_on(asked->answer_by(), block().exec_address()));
    }
    return detail::new_envelope<detail::delegated_of<T, M>>(
        &detail::allocate_block, &detail::free_block, how_.template to_delegate<M>(),
        std::move(message), std::move(back));
  }
  template <class Sent>
  auto tell(detail::actor_block& to, Sent* made, ask_limit limit) const {
    return detail::tell_operation<Sent>{to, *made, limit};
  }
  template <class M, class Given>
  auto request_of(detail::actor_block& to, ask_limit limit, Given&& message) const {
    using value_type = typename finder::template answer<M>;
    return detail::ask_operation<value_type>{
        to,
        *detail::asked_of<value_type, M>::make(how_.template to_ask<M>(),
                                               std::forward<Given>(message)),
        limit};
  }

  template <class>
  friend class ref;
  friend class weak_ref<A>;

  using finder = detail::receiver<A>;
  [[no_unique_address]] finder how_{};
  detail::actor_block* block_;
};

/// The address of an actor that it does not keep alive.
template <class A>
class weak_ref {
public:
  explicit weak_ref(const ref<A>& of) noexcept
      : how_{of.how_}, block_{&of.block()}, generation_{of.block().generation()} {}

  /// Returns: a ref, while the actor can still be addressed; else none. Threads: any.
  [[nodiscard]] std::optional<ref<A>> lock() const noexcept {
    if (!block_->try_add_ref(generation_)) return std::nullopt;
    ref<A> found{*block_};
    found.how_ = how_;
    return found;
  }

private:
  [[no_unique_address]] detail::receiver<A> how_;
  detail::actor_block* block_;
  std::uint32_t generation_;
};

}  // namespace troupe::inline v0_1
