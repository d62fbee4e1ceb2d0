#pragma once

#include <concepts>
#include <exception>
#include <string>
#include <utility>

// First, so that what the compiler refuses there stands in the third line that it says.
#include <troupe/task/task.hpp>

#include <troupe/actor/detail/handler.hpp>
#include <troupe/actor/detail/request.hpp>

#include <troupe/actor/monitor.hpp>
#include <troupe/actor/ref.hpp>
#include <troupe/actor/timer.hpp>
#include <troupe/task/spawn.hpp>

namespace troupe::inline v0_1 {

/// An actor seen from its own handlers and side tasks; weak: it does not keep the actor alive.
class actor_self {
public:
  explicit actor_self(detail::actor_block& block) noexcept : block_{&block} {}

  /// Ends the actor after this handler.
  void stop() const noexcept { block_->stop(); }
  /// Ends the actor by a failure that is known elsewhere: to its monitors, links and supervisor it
  /// has thrown `why`, but that does not go to the failure sink. In a handler alone.
  [[noreturn]] void fail(const std::exception_ptr& why) const {
    block_->extension().is_known = true;
    std::rethrow_exception(why);
  }
  /// Tells its monitors `down`, with `restarts`, as if it had failed with `why` and were started
  /// anew: it stands for something else that did. Who is linked to it is killed. In a handler
  /// alone.
  void announce_restart(std::exception_ptr why) const {
    block_->announce_restart({exit_kind::failed, std::move(why)});
  }
  /// How it ends, in on_stop() and in its destructor. Returns: `unknown` where nobody can ask, as
  /// it has neither a name, monitors nor a supervisor.
  [[nodiscard]] exit_kind ending() const noexcept {
    detail::actor_extension* more = block_->extension_if_any();
    return more == nullptr ? exit_kind::unknown : more->why.kind;
  }
  [[nodiscard]] std::string name() const { return block_->name(); }

  /// Returns: true when nobody waits any more for the answer to the request that is being handled.
  /// A handler is not broken off by that: it may look, and leave off. In other messages false.
  [[nodiscard]] bool caller_gone() const noexcept;

  /// Starts a side task: it runs while the actor goes on with its mail, but only in turns with its
  /// handlers, so that it may use the actor's state. The actor ends it with its incarnation. What
  /// leaves it ends the actor, as from a handler. See troupe::spawn for `f` and `args`.
  /// Example: `self().spawn([this]() -> task<> { page_ = co_await server_.ask(fetch{}); });`
  template <class F, class... Args>
  void spawn(F&& f, Args&&... args) const {
    detail::side_tasks& among = block_->begin_side_task();
    detail::start_on(block_->exec(), &among, std::source_location{}, std::forward<F>(f),
                     std::forward<Args>(args)...);
  }

  /// Puts the message that is being handled aside, whole again by what is `message`; unstash()
  /// brings it back. What the handler returns is then dropped: a request is answered later. What
  /// came from a timer or a monitor is gone when that is ended.
  /// Requires: the handler has no reply<T>, unless the message was sent, and is not interleaved.
  /// Bounds: until then it takes no room in the mailbox.
  template <class M>
  void stash(M&& message) const {
    static_assert(!std::is_lvalue_reference_v<M>, "stash(std::move(message))");
    block_->put_aside(&message, detail::type_name<M>());
  }
  /// The actor goes on as a B, made here of `args`, with the next message. Requires: its class is
  /// derived from behaviors<..., B, ...>.
  template <class B, class... Args>
  void become(Args&&... args) const {
    auto made = std::make_unique<B>(std::forward<Args>(args)...);
    if (!block_->table().become(block_->state(), made.get(), detail::type_name<B>())) {
      misuse("become<B>() was called in an actor that is not derived from behaviors<..., B> [A01]");
    }
    (void)made.release();
  }

  /// What was put aside is handled next, in its order, before all other mail.
  void unstash() const noexcept { block_->take_up_all(); }

protected:
  detail::actor_block* block_;
};

inline bool actor_self::caller_gone() const noexcept {
  detail::task_core* here = detail::current_context()->current;
  auto* asked = detail::request_in(here != nullptr ? here->message() : block_->message());
  return asked != nullptr && asked->caller_gone();
}

/// The same for an actor of class A: with what needs to know its handlers.
template <class A>
class self_of : public actor_self {
public:
  using actor_self::actor_self;

  /// Returns: an address to give to others.
  [[nodiscard]] ref<A> address() const noexcept {
    block_->add_ref();
    return ref<A>{*block_};
  }

  /// Sends `message` to the actor itself when `delay` is over.
  template <class M>
  actor_timer send_after(duration delay, M message) const {
    using plain = typename detail::handled_message<A, M>::type;
    return actor_timer{detail::start_timer<A, plain>(*block_, std::move(message),
                                                     &detail::send_later<A, plain>, delay)};
  }
  /// Sends a copy of `message` every `period`, first when one is over. While one is still in the
  /// mail, or put aside, the next ones are left out. Requires: `period` above zero.
  template <class M>
  actor_timer send_every(duration period, M message,
                         std::source_location where = std::source_location::current()) const {
    using plain = typename detail::handled_message<A, M>::type;
    static_assert(std::is_copy_constructible_v<M>, "send_every sends copies: M must be copyable");
    if (period <= duration::zero())
      misuse("send_every(period, message): the period must be above zero [A02]", where);
    return actor_timer{detail::start_timer<A, plain>(*block_, M{message},
                                                     &detail::send_at_ticks<A, plain>,
                                                     interval{period}, std::move(message))};
  }
  /// Sends an M whenever the actor has handled nothing for `limit`; up to an eighth of it late. A
  /// handler that waits is something; side tasks and interleaved handlers that wait are not.
  /// Requires: `limit` above zero.
  template <class M>
  actor_timer send_when_idle(duration limit,
                             std::source_location where = std::source_location::current()) const {
    using plain = typename detail::handled_message<A, M>::type;
    static_assert(std::is_default_constructible_v<M>, "send_when_idle<M> sends an M{}");
    if (limit <= duration::zero())
      misuse("send_when_idle<M>(limit): the limit must be above zero [A03]", where);
    return actor_timer{
        detail::start_timer<A, plain>(*block_, M{}, &detail::send_when_idle<A, plain>, limit)};
  }

  /// Has the actor told by `on(down)` when another one ends; at once, if it has ended already.
  template <class B>
  void monitor(const ref<B>& other) const {
    static_assert(
        detail::handles<A, down>,
        "monitor() tells of an end by on(down), which this actor does not have: write one");
    block_->add_monitor(std::make_unique<detail::down_node<A>>(*block_, other.id(), other.name()),
                        other.block());
  }
  /// Ends the monitors of `other`: no `down` of it is handled after this.
  void demonitor(const actor_id& other) const noexcept { block_->end_monitors_of(other); }

  /// Ties two actors together: when one fails or is killed, so is the other.
  template <class B>
  void link(const ref<B>& other) const {
    block_->link_with(other.block());
  }
};

/// The base of every actor: a plain class whose handlers are its overloads of `on`.
///
/// A handler takes a message by value, by && or by const &, and is a plain function or a coroutine.
/// What it returns answers a request; with a `reply<T>` as second parameter it answers when it
/// likes. One message is handled at a time, awaits included, unless a handler has `interleaved` as
/// its last parameter. `on_start()` and `on_stop()`, plain or coroutines, run first and last where
/// a class has them; after kill() on_stop does not. An exception that leaves a handler ends the
/// actor; its supervisor may start it anew, else it goes to the failure sink.
///
/// Example:
///     class counter : public troupe::actor {
///     public:
///       void on(add m) { sum_ += m.amount; }
///       std::int64_t on(total) { return sum_; }
///     private:
///       std::int64_t sum_ = 0;
///     };
class actor {
protected:
  actor() = default;
  ~actor() = default;

  /// Requires: called in a handler, or in a task that a handler awaits or has started; on_start is
  /// a handler, the constructor is none.
  [[nodiscard]] static actor_self self(
      std::source_location where = std::source_location::current()) {
    return actor_self{self_block(where)};
  }

  /// The same with the class known: `self(this).send_after(5s, tick{})`.
  template <class A>
  [[nodiscard]] static self_of<A> self(
      A* me, std::source_location where = std::source_location::current()) {
    detail::actor_block& here = self_block(where);
    if (here.state() != static_cast<void*>(me))
      misuse("self(this) was called for another actor: each has a self of its own [A04]", where);
    return self_of<A>{here};
  }

  /// For the framework.
  [[nodiscard]] static detail::actor_block& self_block(std::source_location where = {}) {
    return detail::require_current_actor(where);
  }
};

/// How an actor is set up.
struct actor_options {
  std::string name{};                   ///< For texts; empty: the name of its class.
  std::uint16_t capacity = 0;           ///< Of its mailbox, in messages; 0: the runtime's, 1024.
  bool unbounded = false;               ///< A mailbox without a bound; senders never wait.
  overflow when_full = overflow::wait;  ///< What becomes of a message that finds no room.
  bool pinned = false;                  ///< One worker alone runs it, all its life.
  /// A stop() first lets it do the mail that it has, and take no more; else that is undelivered.
  /// Interleaved handlers and side tasks that still wait then are asked to stop. Of a child this is
  /// so when its supervisor ends it. Bounds: the budget of the runtime's end.
  bool drain = false;
};

namespace detail {

template <class A, auto Event, const char* name>
envelope* new_life_event() {
  return new life_event<A, Event, name>;
}

template <class A>
constexpr auto start_event_of() -> envelope* (*)() {
  if constexpr (requires { &A::on_start; }) return &new_life_event<A, &A::on_start, start_name>;
  return nullptr;
}

template <class A>
constexpr auto stop_event_of() -> envelope* (*)() {
  if constexpr (requires { &A::on_stop; }) return &new_life_event<A, &A::on_stop, stop_name>;
  return nullptr;
}

template <class A>
bool take_behavior([[maybe_unused]] void* state, [[maybe_unused]] void* made,
                   [[maybe_unused]] const char* type_name) noexcept {
  if constexpr (has_behaviors<A>) return static_cast<A*>(state)->take_behavior(made, type_name);
  return false;
}

template <class A>
inline constexpr actor_table table_of_actor{
    [](actor_block& of) noexcept { static_cast<A*>(of.state())->~A(); },
    start_event_of<A>(),
    stop_event_of<A>(),
    &take_behavior<A>,
    type_name<A>(),
    sizeof(A),
    actor_block::is_state_inline<A>};

/// Makes the state of an A: outside of whatever actor's turn it is.
template <class A, class... Args>
void construct_state(actor_block& of, Args&&... args) {
  struct construction {
    ~construction() { flag = outer; }
    bool& flag;
    const bool outer = std::exchange(flag, true);
  } guard{current_context()->constructs};
  new (of.make_room()) A(std::forward<Args>(args)...);
}

/// Starts an actor whose state `construct(block)` makes; `announce(block)` comes before its life.
template <class A, class Construct, class Announce>
ref<A> start_actor(executor& exec, actor_options options, Construct construct, Announce announce) {
  static_assert(alignof(A) <= 16, "over-aligned actors are not supported");
  actor_limits limits{options.capacity, options.unbounded, options.pinned, options.drain,
                      options.when_full};
  actor_block& block = actor_block::create(exec, table_of_actor<A>, limits);
  try {
    construct(block);
    try {
      if (!options.name.empty()) block.extension().name = std::move(options.name);
      block.prepare_life();
      announce(block);
    } catch (...) {
      static_cast<A*>(block.state())->~A();
      throw;
    }
  } catch (...) {
    block.abort_birth();
    throw;
  }
  block.begin_life();
  return ref<A>{block};
}

/// The same without a supervisor.
template <class A, class... Args>
ref<A> start_alone(std::source_location where, actor_options options, Args&&... args) {
  return start_actor<A>(
      require_executor(spawn_outside, where), std::move(options),
      [&](actor_block& block) { construct_state<A>(block, std::forward<Args>(args)...); },
      [](actor_block&) {});
}

/// What spawn<A>() can be given: with actor_options before the arguments, or without.
template <class A, class... Args>
inline constexpr bool is_spawnable = std::constructible_from<A, Args...>;
template <class A, class First, class... Args>
inline constexpr bool is_spawnable<A, First, Args...> =
    std::constructible_from<A, First, Args...> ||
    (std::is_same_v<std::remove_cvref_t<First>, actor_options> &&
     std::constructible_from<A, Args...>);

}  // namespace detail

/// Starts an actor of class A on the current runtime. Its constructor runs here, with `args`.
///
/// Returns: its first ref: the actor lives until the last one is gone, or it is stopped.
/// Errors:  what the constructor throws; std::bad_alloc; outside a runtime a misuse, one line.
/// Bounds:  120 bytes, and the state where it is larger than 16, or aligned to more than 8.
/// Example: `ref<counter> c = spawn<counter>();`
template <std::derived_from<actor> A>
  requires std::constructible_from<A>
ref<A> spawn(std::source_location where = std::source_location::current()) {
  return detail::start_alone<A>(where, actor_options{});
}
template <std::derived_from<actor> A, detail::not_a_location Arg>
  requires std::constructible_from<A, Arg>
ref<A> spawn(Arg&& arg, std::source_location where = std::source_location::current()) {
  return detail::start_alone<A>(where, actor_options{}, std::forward<Arg>(arg));
}
/// With more arguments the place of the call is not known to a misuse.
template <std::derived_from<actor> A, class... Args>
  requires(sizeof...(Args) > 1 && std::constructible_from<A, Args...>)
ref<A> spawn(Args&&... args) {
  return detail::start_alone<A>({}, actor_options{}, std::forward<Args>(args)...);
}

/// The same with options.
template <std::derived_from<actor> A, class... Args>
  requires std::constructible_from<A, Args...>
ref<A> spawn(actor_options options, Args&&... args) {
  return detail::start_alone<A>({}, std::move(options), std::forward<Args>(args)...);
}

/// Chosen for nothing that can be spawned: says in one line what is wrong.
template <class A, class... Args>
  requires(!std::derived_from<A, actor> || !detail::is_spawnable<A, Args...>)
ref<A> spawn(Args&&...) {
  static_assert(std::derived_from<A, actor>,
                "spawn<A>(...): A is no actor: derive it publicly from troupe::actor");
  static_assert(!std::derived_from<A, actor> || std::constructible_from<A, Args...>,
                "spawn<A>(arguments...): A has no public constructor that takes these arguments");
}

}  // namespace troupe::inline v0_1
