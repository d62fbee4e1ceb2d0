#pragma once

#include <exception>
#include <source_location>
#include <utility>

#include <troupe/pal/mutex.hpp>
#include <troupe/task/detail/child_owner.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/start.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// The children of one scope. Lives in the frame of scope(), which waits until none is left.
class scope_state final : public child_owner {
public:
  scope_state()
      : exec_{
            &require_executor("scope() was awaited outside a runtime: await it in a task [T06]")} {
    belong_to_current();
  }
  ~scope_state();

  template <class F, class... Args>
  void start_child(std::source_location where, F&& f, Args&&... args) {
    start_on(*exec_, this, where, std::forward<F>(f), std::forward<Args>(args)...);
  }

  void on_child_start(task_core& child) noexcept override;
  void on_child_end(task_core& child) noexcept override;

  /// Asks every child to stop, also those that are still to come.
  void stop_all() noexcept;

  /// Starts the body and waits until no child is left; a stop request is passed on to all. When the
  /// stop came first, nothing is started.
  class all_ended {
  public:
    static constexpr const char* name = "the end of all tasks of a scope";

    all_ended(scope_state& state, task<>&& body, std::source_location where) noexcept
        : state_{state}, body_{std::move(body)}, where_{where} {}
    void start() { state_.start_child(where_, std::move(body_)); }
    void stop() noexcept {
      state_.stopped_ = true;
      state_.stop_all();
    }
    bool poll() noexcept { return state_.has_ended(); }
    bool enlist(waker) noexcept { return !poll(); }  // The last child nudges the parent's cell.
    void delist() noexcept {}
    void take() const {
      if (state_.first_error_) std::rethrow_exception(state_.first_error_);
      if (state_.stopped_ && state_.any_canceled_) throw canceled{};
    }

  private:
    scope_state& state_;
    task<> body_;
    std::source_location where_;
  };

private:
  [[nodiscard]] bool has_ended() noexcept;

  executor* exec_;
  pal::mutex mutex_;
  intrusive_list<sibling_link> children_;
  std::size_t live_ = 0;  // Also counts those that are just being freed.
  bool stopping_ = false;
  bool any_canceled_ = false;  // A child has ended by its stop.
  bool stopped_ = false;       // By a stop request to the parent; on its turn only.
  std::exception_ptr first_error_;
};

}  // namespace detail

/// The right to spawn into a scope; given to its body, and copied freely among its tasks.
/// Requires: used only while the scope is open, by its body and its tasks.
class scope_handle {
public:
  explicit scope_handle(detail::scope_state& state) noexcept : state_{&state} {}

  /// Starts a task that ends before the scope does. A failure of it cancels the rest of the scope
  /// and leaves the scope as its exception. See troupe::spawn for `f` and `args`.
  template <class F>
  void spawn(F&& f, std::source_location where = std::source_location::current()) {
    state_->start_child(where, std::forward<F>(f));
  }
  template <class F, detail::not_a_location A, detail::not_a_location... Rest>
  void spawn(F&& f, A&& a, Rest&&... rest) {
    state_->start_child(std::source_location{}, std::forward<F>(f), std::forward<A>(a),
                        std::forward<Rest>(rest)...);
  }

  /// Asks everything in the scope to stop, its body too.
  void request_stop() noexcept { state_->stop_all(); }

private:
  detail::scope_state* state_;
};

namespace detail {

template <class F, class T>
task<> run_scope_body(F& body, scope_handle handle, std::optional<outcome<T>>& result) {
  if constexpr (std::is_void_v<T>) {
    co_await body(handle);
    result.emplace();
  } else {
    T value = co_await body(handle);
    result.emplace();
    result->set_value(std::forward<T>(value));
  }
}

}  // namespace detail

/// Runs `body(scope_handle)` and everything it spawns into the scope, and ends when all have ended.
///
/// Returns: what the body returns.
/// Errors:  the first exception of the body or a task; the rest is then asked to stop, and awaited.
/// Cancel:  everything in the scope is asked to stop, and awaited; where all of it ends well all
///          the same, the value of the body is given.
/// Source:  Trio's nursery. Differs: a stop is an exception that stays, as everywhere here.
/// Example:
///     co_await scope([&](scope_handle s) -> task<> {
///       for (auto& part : parts) s.spawn(work, std::ref(part));
///       co_return;
///     });
template <class F>
auto scope(F body, std::source_location where = std::source_location::current())
    -> task<typename std::invoke_result_t<F&, scope_handle>::value_type> {
  using value_type = typename std::invoke_result_t<F&, scope_handle>::value_type;
  detail::scope_state state;
  std::optional<detail::outcome<value_type>> result;
  detail::scope_state::all_ended all_ended{
      state, detail::run_scope_body(body, scope_handle{state}, result), where};
  co_await all_ended;
  if (!result) throw canceled{};  // The body was stopped through its handle.
  co_return result->take();
}

}  // namespace troupe::inline v0_1
