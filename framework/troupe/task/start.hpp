#pragma once

#include <exception>
#include <functional>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>

#include <troupe/base/memory.hpp>
#include <troupe/task/task.hpp>

namespace troupe::inline v0_1::detail {

/// A callable and its arguments, kept in the task's cell for as long as the task lives: a capturing
/// coroutine lambda reads its captures there.
template <class F, class... Args>
struct closure {
  F function;
  std::tuple<Args...> arguments;
};

/// Makes a `Kept` in the task's cell, or beside it when it is large; the cell owns it.
template <class Kept, class... Values>
Kept& keep_in_cell(task_core& core, Values&&... values) {
  if constexpr (sizeof(Kept) <= task_core::storage_bytes && alignof(Kept) <= 8) {
    auto* kept = new (core.storage()) Kept{std::forward<Values>(values)...};
    core.own_storage([](void* place) noexcept { static_cast<Kept*>(place)->~Kept(); });
    return *kept;
  } else {
    static_assert(alignof(Kept) <= 16, "over-aligned callables and values cannot be spawned");
    void* block = allocate(sizeof(Kept));
    Kept* kept = nullptr;
    try {
      kept = new (block) Kept{std::forward<Values>(values)...};
    } catch (...) {
      deallocate(block, sizeof(Kept));
      throw;
    }
    new (core.storage()) Kept* {kept};
    core.own_storage([](void* place) noexcept {
      Kept* owned = *static_cast<Kept**>(place);
      owned->~Kept();
      deallocate(owned, sizeof(Kept));
    });
    return *kept;
  }
}

/// The value of a task that has ended, in its cell.
template <class T>
struct kept_value {
  T value;
};
template <class T>
struct kept_value<T&> {
  T& value;
};

template <class T>
kept_value<T>& kept_value_of(task_core& core) noexcept {
  using kept = kept_value<T>;
  if constexpr (sizeof(kept) <= task_core::storage_bytes && alignof(kept) <= 8) {
    return *static_cast<kept*>(core.storage());
  } else {
    return **static_cast<kept**>(core.storage());
  }
}

template <class T>
void settle(task_core& core) noexcept {
  using handle = std::coroutine_handle<promise<T>>;
  promise<T>& ended = handle::from_address(core.body().address()).promise();
  if (std::exception_ptr error = ended.error()) {
    core.keep_error(std::move(error));  // What the frame has held can see it.
    core.destroy_body();
    return;
  }
  if constexpr (std::is_void_v<T>) {
    core.destroy_body();
  } else {
    try {
      kept_value<T> value{ended.take()};
      core.destroy_body();
      keep_in_cell<kept_value<T>>(core, std::move(value));
    } catch (...) {
      core.keep_error(std::current_exception());  // A move that throws, or no memory for the value.
      core.destroy_body();
    }
  }
}

/// Takes the outcome of a task that has ended: its value, or throws its exception.
template <class T>
T take_outcome(task_core& core) {
  if (std::exception_ptr error = core.take_exception()) std::rethrow_exception(std::move(error));
  if constexpr (std::is_reference_v<T>) {
    return kept_value_of<T>(core).value;
  } else if constexpr (!std::is_void_v<T>) {
    return std::move(kept_value_of<T>(core).value);
  }
}

/// Runs a plain function as a task.
template <class Closure>
auto run_plain(Closure& kept)
    -> task<decltype(std::apply(std::move(kept.function), std::move(kept.arguments)))> {
  co_return std::apply(std::move(kept.function), std::move(kept.arguments));
}

/// Makes a fresh cell the place of `body`. Returns: the coroutine, to be started.
template <class T>
std::coroutine_handle<> move_into(task_core& core, task<T>&& body) noexcept {
  auto handle = body.release();
  handle.promise().belong_to(&core);
  core.settle_with(&settle<T>);
  return handle;
}

/// Makes a fresh cell the task of `body` and queues it.
template <class T>
void start_task(task_core& core, task<T>&& body, task_owner* owner) noexcept {
  core.start(move_into(core, std::move(body)), owner);
}

/// What spawn(f, args...) runs: the value type of the task that f returns, or f's own result.
template <class F, class... Args>
struct spawned {
  using returned = std::invoke_result_t<F, Args...>;
  static constexpr bool is_coroutine = is_task<returned>::value;
  using value_type = typename task_value<returned>::type;
};
template <class T>
struct spawned<task<T>> {
  using value_type = T;
};

template <class F, class... Args>
using spawned_value = typename spawned<std::remove_cvref_t<F>, std::decay_t<Args>...>::value_type;

/// Spawns on `exec`; the cell is returned running.
template <class F, class... Args>
task_core& start_on(executor& exec, task_owner* owner, std::source_location where, F&& f,
                    Args&&... args) {
  task_core& core = task_core::create(exec, where);
  try {
    if constexpr (is_task<std::remove_cvref_t<F>>::value) {
      start_task(core, std::forward<F>(f), owner);
    } else {
      using kept_type = closure<std::decay_t<F>, std::decay_t<Args>...>;
      auto& kept = keep_in_cell<kept_type>(
          core, std::forward<F>(f), std::tuple<std::decay_t<Args>...>{std::forward<Args>(args)...});
      if constexpr (spawned<std::decay_t<F>, std::decay_t<Args>...>::is_coroutine) {
        start_task(core, std::apply(std::move(kept.function), std::move(kept.arguments)), owner);
      } else {
        start_task(core, run_plain(kept), owner);
      }
    }
  } catch (...) {
    core.destroy();
    throw;
  }
  return core;
}

/// The executor that the calling thread works for. A misuse outside of a runtime.
inline executor& require_executor(const char* otherwise) {
  context* here = current_context();
  if (here == nullptr) misuse(otherwise);
  return *here->exec;
}

}  // namespace troupe::inline v0_1::detail
