#pragma once

#include <exception>
#include <source_location>
#include <utility>

#include <troupe/pal/parker.hpp>
#include <troupe/task/spawn.hpp>

namespace troupe::inline v0_1 {

namespace detail {

/// Lets a foreign thread sleep until one task has ended.
class foreign_join final : public task_owner {
public:
  void on_child_start(task_core&) noexcept override {}
  void on_child_end(task_core&) noexcept override;
  /// Drives `where_to`, if it is caller_driven.
  void wait(executor& where_to);

private:
  pal::atomic<bool> ended_{false};
  pal::atomic<bool> left_{false};
  pal::parker parker_;
};

/// While it lives, its runtime has something to wait for: a foreign thread in block_on().
class foreign_guard {
public:
  /// Requires: `where_to` is a scheduler; on a worker of any it is a misuse.
  foreign_guard(executor& where_to, std::source_location where);
  foreign_guard(const foreign_guard&) = delete;
  foreign_guard& operator=(const foreign_guard&) = delete;
  ~foreign_guard();

private:
  executor& where_to_;
};

template <class F, class... Args>
auto block_at(std::source_location where, executor& where_to, F&& f, Args&&... args) {
  using value_type = spawned_value<F, Args...>;
  foreign_guard guard{where_to, where};
  foreign_join ended;
  struct last_step {
    task_core& core;
    ~last_step() { core.destroy(); }
  } last{start_on(where_to, &ended, where, std::forward<F>(f), std::forward<Args>(args)...)};
  ended.wait(where_to);
  return take_outcome<value_type>(last.core);
}

}  // namespace detail

/// Runs `f(args...)` as a task of `where_to`, a scheduler, and blocks the calling thread until it
/// has ended.
///
/// Returns: what the task returns. Errors: what it throws.
/// Threads: foreign ones; on a worker it is a misuse, since it would hold up everything there. One
///          that is caller_driven is driven by this call, so no other thread may do so meanwhile.
template <class F>
auto block_on(executor& where_to, F&& f,
              std::source_location where = std::source_location::current()) {
  return detail::block_at(where, where_to, std::forward<F>(f));
}
/// With arguments the place of the call is not recorded.
template <class F, detail::not_a_location A, class... Args>
auto block_on(executor& where_to, F&& f, A&& a, Args&&... args) {
  return detail::block_at(std::source_location{}, where_to, std::forward<F>(f), std::forward<A>(a),
                          std::forward<Args>(args)...);
}

}  // namespace troupe::inline v0_1
