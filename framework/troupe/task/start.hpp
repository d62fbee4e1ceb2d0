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
  [[no_unique_address]] std::tuple<Args...> arguments;

  decltype(auto) call() { return std::apply(std::move(function), std::move(arguments)); }
};

template <class Kept>
inline constexpr bool fits_in_cell = sizeof(Kept) <= task_core::storage_bytes && alignof(Kept) <= 8;

/// Makes a `Kept` in the task's cell, or beside it when it is large; the cell owns it.
template <class Kept, class... Values>
Kept& keep_in_cell(task_core& core, Values&&... values) {
  if constexpr (fits_in_cell<Kept>) {
    auto* kept = new (core.storage()) Kept{std::forward<Values>(values)...};
    if constexpr (!std::is_trivially_destructible_v<Kept>) {
      core.own_storage([](void* place) noexcept { static_cast<Kept*>(place)->~Kept(); });
    }
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

/// What keep_in_cell() has made.
template <class Kept>
Kept& kept_in_cell(task_core& core) noexcept {
  if constexpr (fits_in_cell<Kept>) {
    return *static_cast<Kept*>(core.storage());
  } else {
    return **static_cast<Kept**>(core.storage());
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

/// Leaves the value in the cell, once what the task has held is gone.
template <class T, class Value>
void keep_value(task_core& core, Value&& from) {
  kept_value<T> value{std::forward<Value>(from)};
  core.destroy_body();
  keep_in_cell<kept_value<T>>(core, std::move(value));
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
      keep_value<T>(core, ended.take());
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
    return kept_in_cell<kept_value<T>>(core).value;
  } else if constexpr (!std::is_void_v<T>) {
    return std::move(kept_in_cell<kept_value<T>>(core).value);
  }
}

/// Makes a fresh cell the place of `body`. Returns: the coroutine, to be started.
template <class T>
std::coroutine_handle<> move_into(task_core& core, task<T>&& body) noexcept {
  auto handle = body.release();
  handle.promise().belong_to(&core);
  core.settle_with(&settle<T>);
  return handle;
}

/// What spawn(f, args...) runs: the value type of the task that f returns, or f's own result.
template <class F, class... Args>
struct spawned {
  using value_type = typename task_value<std::invoke_result_t<F, Args...>>::type;
};
template <class T>
struct spawned<task<T>> {
  using value_type = T;
};

template <class F, class... Args>
using spawned_value = typename spawned<std::remove_cvref_t<F>, std::decay_t<Args>...>::value_type;

/// The first turn of a task whose callable is in its cell: makes its coroutine, or calls the plain
/// function to its end.
template <class Closure>
void begin(task_core& core) noexcept {
  using returned = decltype(std::declval<Closure&>().call());
  try {
    Closure& kept = kept_in_cell<Closure>(core);
    if constexpr (is_task<std::remove_cvref_t<returned>>::value) {
      core.take_body(move_into(core, kept.call()));
    } else if constexpr (std::is_void_v<returned>) {
      kept.call();
      core.destroy_body();
    } else {
      keep_value<returned>(core, kept.call());
    }
  } catch (...) {
    core.keep_error(std::current_exception());
    core.destroy_body();
  }
}

/// Spawns on `exec`; the cell is returned running.
template <class F, class... Args>
task_core& start_on(executor& exec, task_owner* owner, std::source_location where, F&& f,
                    Args&&... args) {
  task_core& core = task_core::create(exec, where);
  if constexpr (is_task<std::remove_cvref_t<F>>::value) {
    core.start(move_into(core, std::forward<F>(f)), owner);
  } else {
    using kept_type = closure<std::decay_t<F>, std::decay_t<Args>...>;
    try {
      keep_in_cell<kept_type>(core, std::forward<F>(f),
                              std::tuple<std::decay_t<Args>...>{std::forward<Args>(args)...});
    } catch (...) {
      core.destroy();
      throw;
    }
    core.start_later(&begin<kept_type>, owner);
  }
  return core;
}

/// The executor that the calling thread works for. A misuse outside of a runtime.
inline executor& require_executor(const char* otherwise, std::source_location where = {}) {
  context* here = current_context();
  if (here == nullptr) misuse(otherwise, where);
  return *here->exec;
}

}  // namespace troupe::inline v0_1::detail
