#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <troupe/base/result.hpp>
#include <troupe/io/wait_count.hpp>
#include <troupe/net/detail/asio_wait.hpp>
#include <troupe/task/operation.hpp>
#include <troupe/task/stop.hpp>

namespace troupe::inline v0_1::net {

/// The io_context of the current runtime, to make Asio's own objects on: timers, resolvers, serial
/// ports, sockets of libraries. Its handlers run on the workers, one at a time.
///
/// Requires: the objects are gone before the runtime is.
/// Errors:   outside a runtime: a misuse, one line.
[[nodiscard]] boost::asio::io_context& io_context_of_current();

/// The type of use_task.
struct use_task_t {
  constexpr use_task_t() noexcept {}
};

/// Completion token that makes an operation of any Asio operation: to `co_await` from a task, to
/// select from, to bound with timeout.
///
/// Returns: what the handler would get: nothing, one value, or a tuple of several. An error_code in
///          front becomes a system_error (`.as_result()` hands it over), an exception_ptr is
///          thrown.
/// Threads: as Asio's object wants; the task goes on as on any wake, never inside Asio.
/// Cancel:  a stop request asks the Asio operation to end (cancellation_type::terminal, through its
///          executor), and waits until it has. It throws `canceled` if the operation was cut short;
///          if it was finished all the same, its result is handed over. Operations that cannot be
///          cancelled are awaited to their end.
/// Bounds:  one block of about 400 bytes per operation, from where coroutine frames come from.
/// Example:
///     boost::asio::steady_timer timer{net::io_context_of_current(), 10ms};
///     co_await timer.async_wait(net::use_task);
inline constexpr use_task_t use_task{};

namespace detail {

/// How the arguments of a handler become what an await yields.
template <class... Args>
struct completion {
  using value = std::tuple<Args...>;
};
template <class Arg>
struct completion<Arg> {
  using value = Arg;
};
template <>
struct completion<> {
  using value = void;
};

template <class Value, std::size_t Skip, class Tuple>
Value completion_value(Tuple& arguments) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return Value(std::move(std::get<I + Skip>(arguments))...);
  }(std::make_index_sequence<std::tuple_size_v<Tuple> - Skip>{});
}

/// What take() does with the arguments of a handler. In general: they are the value.
template <class... Args>
struct completion_of {
  static constexpr bool is_fallible = false;
  using yield = typename completion<Args...>::value;

  static bool was_cut_short(const std::tuple<Args...>&) noexcept { return false; }
  static yield take(std::tuple<Args...>& arguments) {
    return completion_value<yield, 0>(arguments);
  }
};

template <class... Rest>
struct completion_of<boost::system::error_code, Rest...> {
  using arguments_type = std::tuple<boost::system::error_code, Rest...>;
  static constexpr bool is_fallible = true;
  using value = typename completion<Rest...>::value;
  using yield = result<value>;

  static bool was_cut_short(const arguments_type& arguments) noexcept {
    return std::get<0>(arguments) == boost::asio::error::operation_aborted;
  }
  static yield take(arguments_type& arguments) {
    if (std::get<0>(arguments).failed()) return std::get<0>(arguments);
    if constexpr (std::is_void_v<value>) {
      return yield{};
    } else {
      return yield{completion_value<value, 1>(arguments)};
    }
  }
};

template <class... Rest>
struct completion_of<std::exception_ptr, Rest...> {
  using arguments_type = std::tuple<std::exception_ptr, Rest...>;
  static constexpr bool is_fallible = false;
  using yield = typename completion<Rest...>::value;

  static bool was_cut_short(const arguments_type&) noexcept { return false; }
  static yield take(arguments_type& arguments) {
    if (std::get<0>(arguments)) std::rethrow_exception(std::move(std::get<0>(arguments)));
    return completion_value<yield, 1>(arguments);
  }
};

template <class... Args>
class asio_wait_for final : public asio_wait {
public:
  std::optional<std::tuple<Args...>> arguments;
};

/// The handler that Asio calls.
template <class... Args>
class task_handler {
public:
  using allocator_type = wait_allocator<void>;
  using cancellation_slot_type = boost::asio::cancellation_slot;

  explicit task_handler(wait_ref<asio_wait_for<Args...>> wait) noexcept : wait_{std::move(wait)} {}

  [[nodiscard]] allocator_type get_allocator() const noexcept {
    return allocator_type{*wait_.get()};
  }
  [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept {
    return wait_->signal.slot();
  }

  template <class... Given>
  void operator()(Given&&... given) {
    wait_->arguments.emplace(std::forward<Given>(given)...);
    wait_->arrive();
  }

private:
  wait_ref<asio_wait_for<Args...>> wait_;
};

struct infallible {};

/// An Asio operation that has not begun, and then the wait for it.
template <class Initiation, class Arguments, class... Args>
class asio_operation final
    : public std::conditional_t<
          completion_of<Args...>::is_fallible,
          troupe::detail::fallible_operation<asio_operation<Initiation, Arguments, Args...>>,
          infallible> {
  using completion = completion_of<Args...>;
  using executor =
      boost::asio::associated_executor_t<Initiation, boost::asio::io_context::executor_type>;

public:
  static constexpr const char* name = "an Asio operation";

  template <class... Given>
  explicit asio_operation(Initiation&& initiation, Given&&... given)
      : initiation_{std::move(initiation)}, arguments_{std::forward<Given>(given)...} {}

  /// Begins it. The initiation and its arguments are moved to the stack first: the operation may be
  /// over, and its task at work elsewhere, before this returns.
  void start() {
    executor_.emplace(
        boost::asio::get_associated_executor(initiation_, io_context_of_current().get_executor()));
    wait_ = wait_ref{new asio_wait_for<Args...>};
    std::apply(
        [handler = task_handler<Args...>{wait_},
         initiation = std::move(initiation_)](auto&&... arguments) mutable {
          std::move(initiation)(std::move(handler), std::move(arguments)...);
        },
        Arguments{std::move(arguments_)});
  }

  /// Asks Asio to cut it short. In the executor of the object: a composed operation goes on from
  /// there, and must not do so at the same time.
  void stop() noexcept {
    stopped_ = true;
    if (!wait_->expect_one_more()) return;
    boost::asio::post(*executor_, [wait = wait_] {
      wait->signal.emit(boost::asio::cancellation_type::terminal);
      wait->arrive();
    });
  }

  bool poll() noexcept { return wait_->is_over(); }
  bool enlist(waker key) noexcept { return count_.begin(wait_->enlist(key)); }
  void delist() noexcept {
    if (count_.end()) wait_->delist();
  }
  typename completion::yield take() {
    if (stopped_ && completion::was_cut_short(*wait_->arguments)) throw canceled{};
    return completion::take(*wait_->arguments);
  }

private:
  Initiation initiation_;
  Arguments arguments_;
  std::optional<executor> executor_;
  wait_ref<asio_wait_for<Args...>> wait_;
  io::wait_count count_;
  bool stopped_ = false;
};

}  // namespace detail
}  // namespace troupe::inline v0_1::net

template <class... Args>
class boost::asio::async_result<troupe::net::use_task_t, void(Args...)> {
public:
  template <class Initiation, class... Given>
  static auto initiate(Initiation&& initiation, const troupe::net::use_task_t&, Given&&... given) {
    return troupe::net::detail::asio_operation<
        std::decay_t<Initiation>, std::tuple<std::decay_t<Given>...>, std::decay_t<Args>...>{
        std::forward<Initiation>(initiation), std::forward<Given>(given)...};
  }
};
