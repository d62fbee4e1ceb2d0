#pragma once

#include <cstdint>
#include <deque>
#include <type_traits>

// First, so that what the compiler refuses there stands in the third line that it says.
#include <troupe/task/task.hpp>

#include <troupe/actor/detail/handler.hpp>

#include <troupe/actor/actor.hpp>

namespace troupe::inline v0_1 {

/// Which children a supervisor starts anew when one has failed.
enum class restart_strategy : unsigned char {
  one_for_one,   ///< That one.
  one_for_all,   ///< All of them.
  rest_for_one,  ///< That one, and those that were started after it.
};

/// How a supervisor deals with failures. It gives up, which is a failure of its own, when more than
/// `max_restarts` become due `within` a time.
struct supervision {
  static constexpr std::uint32_t unlimited = UINT32_MAX;

  restart_strategy strategy = restart_strategy::one_for_one;
  std::uint32_t max_restarts = 3;
  duration within = std::chrono::seconds{5};
  /// A child that fails again soon waits for this long, then for twice as long, and so on. The
  /// first restart is at once.
  duration min_delay = std::chrono::milliseconds{10};
  duration max_delay = std::chrono::seconds{1};
};

/// What a supervisor throws when its children fail too often: its own supervisor gets it.
class restart_limit_error : public std::runtime_error {
public:
  using runtime_error::runtime_error;
};

/// An actor that starts others anew when they fail. See spawn_child().
///
/// A child keeps its address, its mailbox and all mail that it has not begun; the message it failed
/// on is not tried again. It lives until its supervisor ends, which ends it first: the youngest
/// child goes first, each is awaited. A supervisor that is itself supervised and is started anew
/// starts all its children anew.
/// Source: Erlang/OTP's supervisor. Differs: addresses outlive restarts, and restarts are delayed.
/// Example:
///     ref<supervisor> root = spawn<supervisor>(supervision{.max_restarts = 5});
///     ref<counter> c = spawn_child<counter>(root);
class supervisor : public actor {
public:
  explicit supervisor(supervision how = {}) : how_{how} {}

  void on_start();
  task<> on_stop();

  /// For the framework: a child has come, has ended an incarnation, has waited for long enough.
  void adopt(detail::actor_block& block);
  void judge(detail::actor_block& block);
  struct delay_over {
    detail::actor_block* child;
  };
  void on(delay_over m);

private:
  using child = detail::family::child;
  using state = detail::family::state;

  void check_limit(const child& failed);
  duration next_delay(child& failed);
  static void end_incarnation_of(child& running);
  void restart(child& failed);
  void rebuild_when_all_wait();

  supervision how_;
  detail::family* children_ = nullptr;  // Of its actor: they outlive this state.
  std::deque<time_point> restarts_;
  bool group_is_due_ = false;
  time_point group_waits_until_{};  // The end of the longest delay.
};

/// How a child is set up.
struct child_options {
  actor_options actor{};
  child_kind kind = child_kind::permanent;
};

namespace detail {

/// Makes the state of an A from copies of what the first one was made of.
template <class A, class... Args>
class birth final : public lineage {
public:
  birth(actor_block& of, actor_block& above, child_kind how, const Args&... args)
      : lineage{of, above, how}, args_{args...} {}

  void construct(actor_block& of) override {
    std::apply([&](const Args&... args) { construct_state<A>(of, args...); }, args_);
  }

private:
  std::tuple<Args...> args_;
};

/// Hands a child over to its supervisor; if that has ended, the child ends too.
void give_to_supervisor(actor_block& supervisor, actor_block& child);

}  // namespace detail

/// Starts an actor that `parent` watches over. Its constructor runs here, with copies of `args`;
/// later ones run on the new incarnation's own turn, with copies again. `args` live as long as the
/// child: give it a weak_ref where a ref would keep an actor alive that is to end before it.
///
/// Returns: its ref. When the supervisor has ended the child ends at once.
/// Errors:  as spawn().
template <std::derived_from<actor> A, class... Args>
ref<A> spawn_child(const ref<supervisor>& parent, child_options options, Args&&... args) {
  static_assert((std::is_copy_constructible_v<std::decay_t<Args>> && ...),
                "a child's arguments are copied for each restart: give it what can be copied");
  static_assert(
      std::is_constructible_v<A, const std::decay_t<Args>&...>,
      "a child is constructed from copies of its arguments: take them by value or const&");
  auto& exec = detail::require_executor(detail::spawn_outside);
  bool is_here = parent.has_ended() || parent.block().exec_address() == &exec;
  if (!is_here)
    misuse(
        "spawn_child() was called on another runtime than its supervisor's: call it there [A12]");
  return detail::start_actor<A>(
      exec, std::move(options.actor),
      [&](detail::actor_block& block) {
        block.supervise_by(std::make_unique<detail::birth<A, std::decay_t<Args>...>>(
            block, parent.block(), options.kind, args...));
        block.extension_if_any()->line->construct(block);
      },
      [&](detail::actor_block& block) { detail::give_to_supervisor(parent.block(), block); });
}
template <std::derived_from<actor> A, class... Args>
  requires(!(std::is_same_v<std::decay_t<Args>, child_options> || ...))
ref<A> spawn_child(const ref<supervisor>& parent, Args&&... args) {
  return spawn_child<A>(parent, child_options{}, std::forward<Args>(args)...);
}

}  // namespace troupe::inline v0_1
