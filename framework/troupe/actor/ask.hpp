#pragma once

#include <memory>
#include <string>
#include <utility>

#include <troupe/actor/detail/current.hpp>
#include <troupe/actor/detail/messages.hpp>
#include <troupe/actor/detail/time_limit.hpp>
#include <troupe/sync/room_wait.hpp>
#include <troupe/task/operation.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// Keeps an actor addressable from the first hold() on.
class held_actor {
public:
  explicit held_actor(actor_block& to) noexcept : to_{to} {}
  held_actor(const held_actor&) = delete;
  held_actor& operator=(const held_actor&) = delete;
  ~held_actor() {
    if (is_held_) [[unlikely]]
      to_.drop_ref();
  }

protected:
  void hold() noexcept {
    if (!std::exchange(is_held_, true)) to_.add_ref();
  }

private:
  actor_block& to_;
  bool is_held_ = false;
};

/// What send and ask share: the wait for an actor, with its end by time or by a cycle.
/// Requires: a ref to it lives until it is awaited.
class actor_wait : private held_actor, public room_wait<actor_block> {
public:
  actor_wait(actor_block& to, ask_limit wish) noexcept
      : held_actor{to}, room_wait{to}, limit_{wish} {}
  actor_wait(actor_wait&& other) noexcept  // Before it has started.
      : held_actor{*other.owner_}, room_wait{other}, limit_{std::move(other.limit_)} {}

  /// No select() or timeout() around it: only the actor can end the wait.
  void await_alone() noexcept { is_alone_ = true; }

  /// Throws `error` with who waits for whom, where that is known, and in a deadlock at which line.
  void throw_waits(ask_errc error, std::source_location where) const;

protected:
  /// Returns: false while there is no room and waiting for it makes sense; else `error` says why it
  /// was not taken, if it was not.
  bool try_push(envelope& message, ask_errc& error) noexcept {
    return settle(owner_->push(message), error);
  }
  /// The same for what nobody answers.
  bool try_push_sent(envelope& message, ask_errc& error) noexcept {
    return settle(owner_->push_sent(message), error);
  }
  /// Runs the request within the turn of the task that asks, where that is the same to it: an own
  /// limit must be able to end the wait for a handler that computes.
  [[nodiscard]] bool try_run(request_base& message) noexcept {
    return is_alone_ && !limit_.is_own() && owner_->try_run(message);
  }

  /// Finds out who waits.
  void look_around() noexcept {
    waiting_ = current_context()->current;
    asker_ = waiting_->actor();
    if (asker_ == nullptr) return;
    is_handler_ = asker_->handler() == waiting_;
    handled_ = is_handler_ ? asker_->message() : waiting_->message();
  }
  /// Returns: true in a handler of that very actor, and in tasks of a scope in one.
  [[nodiscard]] bool is_for_itself() const noexcept {
    return asker_ == owner_ && handled_ != nullptr && !handled_->table->is_interleaved;
  }
  /// Returns: the deadline of the request that is being handled.
  [[nodiscard]] deadline inherited() const noexcept {
    const request_base* asked = request_in(handled_);
    return asked == nullptr ? deadline{} : asked->answer_by();
  }

  /// What a wait is in the graph of who waits for whom. One that has begun to be answered is no
  /// longer to be refused: it is the one behind it that closes a cycle.
  enum class edge : unsigned char { none, stays, may_fail };

  /// Says for whom the handler waits, which counts while it sleeps. Of a request before it is sent,
  /// once: so hold() finds what it has to take back.
  void be_edge() noexcept;
  void be_no_edge() noexcept {
    if (is_an_edge_) [[unlikely]]
      forget_edge();
  }

  /// Says, before the task goes to sleep, until when. Returns: false when the wait is over already:
  /// is_over(), or it would close a cycle.
  bool enlist_limits(waker key, edge as) noexcept;
  void delist_limits() noexcept { limit_.delist(); }
  [[nodiscard]] bool closes_cycle() const noexcept { return closes_cycle_; }
  /// Notes for whom a handler waits whose time is over: it may be a cycle over several nodes.
  void note_waits() noexcept;

  [[nodiscard]] bool enlist_wait_for_room(waker key) noexcept {
    hold();  // The ref may go, and the actor end and its block be another's, meanwhile.
    be_edge();
    return enlist_limits(key, edge::may_fail) && enlist_for_room(key);
  }
  void delist_wait_for_room() noexcept {
    delist_for_room();
    be_no_edge();
    delist_limits();
  }

  time_limit limit_;

private:
  bool settle(message_queue::pushed how, ask_errc& error) noexcept {
    use_wake();
    return how == message_queue::pushed::sent || settle_refused(how, error);
  }
  bool settle_refused(message_queue::pushed how, ask_errc& error) noexcept;
  void forget_edge() noexcept;

  task_core* waiting_ = nullptr;
  actor_block* asker_ = nullptr;  // Whose handler, or side task, waits; null for plain tasks.
  envelope* handled_ = nullptr;
  bool is_handler_ = false;
  bool is_alone_ = false;
  bool is_an_edge_ = false;  // waiting_->awaited() was set.
  // Sweeps at which it looks once more for a cycle: two waits may have closed it at once. At the
  // first of them all of it may be awake; those that have begun to be answered then sleep on.
  unsigned char looks_left_ = 3;
  bool closes_cycle_ = false;
  kept_text waits_;  // Who waits for whom: a cycle, or what is known when time is over.
};

/// One request on its way: sent when awaited, withdrawn when it is left.
template <class T>
class ask_operation : public actor_wait, public fallible_operation<ask_operation<T>> {
public:
  static constexpr const char* name = "an answer (ask)";

  ask_operation(actor_block& to, request<T>& made, ask_limit wish) noexcept
      : actor_wait{to, wish}, request_{&made} {}
  ask_operation(ask_operation&& other) noexcept
      : actor_wait{std::move(other)}, request_{std::exchange(other.request_, nullptr)} {}
  ~ask_operation() {
    if (request_ != nullptr) [[unlikely]]
      withdraw();
  }

  void start() noexcept {
    is_sent_ = try_run(*request_);
    if (!is_sent_) begin_limit();
  }
  bool poll() noexcept {
    bool is_answered = is_sent_ && request_ != nullptr && request_->settled();
    if (!is_answered && !is_over()) return false;
    be_no_edge();
    return true;
  }
  bool enlist(waker key) noexcept {
    has_slept_ = true;
    if (!is_sent_) return enlist_wait_for_room(key);
    if (!limit_.has_started()) begin_limit();  // It ran, and was put aside, or has a reply<T>.
    bool is_enlisted = enlist_limits(key, edge_of_answer()) && request_->enlist(key);
    // Of a reply<T> that was made since the last wait, and has not found the waker of this one.
    if (request_->is_given_away()) be_no_edge();
    return is_enlisted;
  }
  void delist() noexcept { is_sent_ ? delist_limits() : delist_wait_for_room(); }
  /// Throws what a code alone does not tell: the cycle, or why the receiver has failed.
  void throw_in_words(std::source_location where = {}) const {
    bool is_well = error_ == ask_errc{} && request_->has_value();
    if (!is_well) [[unlikely]]
      throw_why(where);
  }
  [[gnu::always_inline]] result<T> take() {
    if (error_ != ask_errc{}) [[unlikely]]
      return take_error();
    return std::exchange(request_, nullptr)->take();
  }

private:
  edge edge_of_answer() noexcept {
    if (request_->is_given_away()) return edge::none;
    be_edge();
    return request_->has_begun() ? edge::stays : edge::may_fail;
  }
  [[gnu::noinline]] void withdraw() noexcept {
    if (is_sent_) {
      (void)request_->withdraw();
    } else {
      request_->discard();
    }
  }
  [[gnu::noinline]] result<T> take_error() const noexcept {
    return failed_with<T>(make_error_code(error_));
  }
  [[gnu::noinline]] void throw_why(std::source_location where) const {
    throw_waits(error_, where);
    if (request_ != nullptr) request_->throw_reason();
  }
  [[gnu::noinline]] void begin_limit() noexcept {
    look_around();
    limit_.start(inherited());
    if (!is_sent_) request_->answer_by(limit_.in_force_on(owner_->exec_address()));
  }
  [[gnu::noinline]] bool is_over() noexcept {
    if (request_ == nullptr) return true;  // Given up.
    if (is_sent_ ? request_->settled() : try_send()) return true;
    if (closes_cycle()) {
      give_up(ask_errc::deadlock, ask_errc::canceled);
    } else if (has_slept_ && limit_.is_over()) {
      note_waits();
      give_up(is_sent_ ? ask_errc::expired : ask_errc::mailbox_full, ask_errc::timeout);
    }
    return request_ == nullptr;
  }
  // Returns: true when it was answered already, or could not be sent.
  bool try_send() noexcept {
    if (is_for_itself()) error_ = ask_errc::deadlock;
    if (error_ != ask_errc{}) return true;
    request_->arm(current_context()->current->current_waker());
    be_edge();
    if (!try_push(*request_, error_)) return false;
    is_sent_ = error_ == ask_errc{};
    return !is_sent_ || request_->settled();
  }
  void give_up(ask_errc unrun, ask_errc maybe_run) noexcept {
    auto* given_up = std::exchange(request_, nullptr);
    bool may_have_run = is_sent_ && given_up->withdraw();
    if (!is_sent_) given_up->discard();
    error_ = may_have_run ? maybe_run : unrun;
  }

  request<T>* request_;
  ask_errc error_{};
  bool is_sent_ = false;
  bool has_slept_ = false;
};

/// One message on its way, or one request that somebody passes on: sent when awaited. A request
/// that cannot be sent fails with that, and its wait has nothing to tell.
template <class Sent>
class tell_operation final : public actor_wait, public fallible_operation<tell_operation<Sent>> {
public:
  static constexpr const char* name = "room in a mailbox (send)";

  tell_operation(actor_block& to, Sent& made, ask_limit wish = {}) noexcept
      : actor_wait{to, wish}, message_{&made} {}
  tell_operation(tell_operation&& other) noexcept
      : actor_wait{std::move(other)}, message_{std::exchange(other.message_, nullptr)} {}
  ~tell_operation() {
    if (message_ != nullptr) [[unlikely]]
      Sent::finish(*message_, nullptr);
  }

  bool poll() noexcept {
    TROUPE_ASSERT(message_ != nullptr);  // A send is awaited once.
    bool is_settled =
        Sent::is_request ? try_push(*message_, error_) : try_push_sent(*message_, error_);
    if (!is_settled) [[unlikely]]
      return is_over();
    if (error_ == ask_errc{}) message_ = nullptr;
    return true;
  }
  bool enlist(waker key) noexcept {
    if (!limit_.has_started()) limit_.start(inherited());
    return enlist_wait_for_room(key);
  }
  void delist() noexcept { delist_wait_for_room(); }
  /// Throws what a code alone does not tell: the cycle.
  void throw_in_words(std::source_location where = {}) const {
    if (error_ != ask_errc{} && !Sent::is_request) [[unlikely]]
      throw_waits(error_, where);
  }
  result<void> take() noexcept {
    if (error_ == ask_errc{}) [[likely]]
      return {};
    if constexpr (Sent::is_request) {
      Sent::drop(*std::exchange(message_, nullptr), error_);
      return {};
    }
    return make_error_code(error_);
  }

  /// Gets the message back after the send has failed or was cancelled.
  /// Requires: it was not sent.
  [[nodiscard]] auto value() {
    TROUPE_ASSERT(message_ != nullptr);
    return std::move(message_->message);
  }

private:
  [[gnu::noinline]] bool is_over() noexcept {
    if (closes_cycle()) error_ = ask_errc::deadlock;
    if (error_ == ask_errc{} && limit_.has_started() && limit_.is_over())
      error_ = ask_errc::mailbox_full;
    return error_ != ask_errc{};
  }

  Sent* message_;
  ask_errc error_{};
};

}  // namespace detail
}  // namespace troupe::inline v0_1
