#pragma once

#include <concepts>
#include <string>
#include <utility>

#include <troupe/actor/ref.hpp>

namespace troupe {

/// An actor seen from its own handlers; weak: it does not keep the actor alive.
class actor_self {
public:
  explicit actor_self(detail::actor_block& block) noexcept : block_{&block} {}

  /// Ends the actor after this handler.
  void stop() const noexcept { block_->stop(); }
  [[nodiscard]] std::string name() const { return block_->name(); }
  /// Returns: an address to give to others. Requires: A is the actor's class.
  template <class A>
  [[nodiscard]] ref<A> as() const noexcept {
    block_->add_ref();
    return ref<A>{*block_};
  }

private:
  detail::actor_block* block_;
};

/// The base of every actor: a plain class whose handlers are its overloads of `on`.
///
/// A handler takes a message by value, by && or by const &, and is a plain function or a coroutine.
/// What it returns answers a request; with a `reply<T>` as second parameter it answers when it
/// likes. One message is handled at a time, awaits included. `on_start()` and `on_stop()`, plain or
/// coroutines, run first and last where a class has them; after kill() on_stop does not.
/// An exception that leaves a handler ends the actor, and goes to the failure sink.
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

  /// Requires: called in a handler, or in a task that a handler awaits.
  [[nodiscard]] static actor_self self() {
    detail::actor_block* here = detail::current_actor();
    if (here == nullptr) misuse("self() was called outside of an actor's handler");
    return actor_self{*here};
  }
};

/// How an actor is set up.
struct actor_options {
  std::string name{};             ///< For texts; empty: the name of its class.
  std::uint16_t capacity = 1024;  ///< Of its mailbox, in messages, from 1 on.
  bool unbounded = false;         ///< A mailbox without a bound; senders never wait.
  bool reject_when_full = false;  ///< Senders get `mailbox_full` instead of waiting for room.
};

namespace detail {

template <class A, auto Event>
envelope* new_life_event() {
  return new life_event<A, Event>;
}

template <class A>
constexpr auto start_event_of() -> envelope* (*)() {
  if constexpr (requires { &A::on_start; }) return &new_life_event<A, &A::on_start>;
  return nullptr;
}

template <class A>
constexpr auto stop_event_of() -> envelope* (*)() {
  if constexpr (requires { &A::on_stop; }) return &new_life_event<A, &A::on_stop>;
  return nullptr;
}

template <class A>
inline constexpr actor_table table_of_actor{
    [](actor_block& of) noexcept { static_cast<A*>(of.state())->~A(); }, start_event_of<A>(),
    stop_event_of<A>(), type_name<A>()};

template <class A, class... Args>
ref<A> start_actor(executor& exec, actor_options options, Args&&... args) {
  static_assert(alignof(A) <= 16, "over-aligned actors are not supported");
  if (options.capacity == 0) misuse("spawn(actor_options): the capacity must be from 1 to 65535");
  actor_limits limits{options.capacity, options.unbounded, options.reject_when_full};
  actor_block& block = actor_block::create(exec, table_of_actor<A>, limits);
  try {
    auto* state = new (block.make_room(sizeof(A))) A(std::forward<Args>(args)...);
    try {
      if (!options.name.empty()) block.extension().name = std::move(options.name);
      block.begin_life();
    } catch (...) {
      state->~A();
      throw;
    }
  } catch (...) {
    block.abort_birth();
    throw;
  }
  return ref<A>{block};
}

}  // namespace detail

/// Starts an actor of class A on the current runtime. Its constructor runs here, with `args`.
///
/// Returns: its first ref: the actor lives until the last one is gone, or it is stopped.
/// Errors:  what the constructor throws; std::bad_alloc; outside a runtime a misuse, one line.
/// Bounds:  128 bytes, and the state where it is larger than 16.
/// Example: `ref<counter> c = spawn<counter>();`
template <std::derived_from<actor> A, class... Args>
  requires std::constructible_from<A, Args...>
ref<A> spawn(Args&&... args) {
  auto& exec = detail::require_executor("spawn() was called outside a runtime: see troupe::run()");
  return detail::start_actor<A>(exec, actor_options{}, std::forward<Args>(args)...);
}

/// The same with options.
template <std::derived_from<actor> A, class... Args>
  requires std::constructible_from<A, Args...>
ref<A> spawn(actor_options options, Args&&... args) {
  auto& exec = detail::require_executor("spawn() was called outside a runtime: see troupe::run()");
  return detail::start_actor<A>(exec, std::move(options), std::forward<Args>(args)...);
}

}  // namespace troupe
