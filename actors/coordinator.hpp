#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <troupe/actor/actor.hpp>
#include <troupe/base/log.hpp>
#include <troupe/base/result.hpp>

namespace troupe::inline v0_1::actors {

/// Owns a resource and lets one request at a time use it: `Resource::serve(Request)`, a task<T>,
/// answers a request with a result<T>.
///
/// The resource is opened for the first request. One that fails fails its request with the error's
/// code; the next request opens a fresh one. Requests wait in the mailbox, and one whose requester
/// has gone meanwhile is never begun.
///
/// Errors: of a request: the code of the system_error that `open` or `serve` threw; for what else
///         they threw ask_errc::receiver_failed, and a line in the log; those of ask() itself.
/// Example:
///     struct ping {};
///     class transport {
///     public:
///       task<duration> serve(ping);
///     };
///     task<transport> dial();
///
///     auto line = spawn<actors::coordinator<transport, ping>>(dial);
///     result<duration> round_trip = co_await line.ask(ping{});
template <class Resource, class Request>
class coordinator final : public actor {
public:
  using open_function = std::function<task<Resource>()>;
  using failure_function = std::function<void(boost::system::error_code)>;
  using answer_type =
      typename decltype(std::declval<Resource&>().serve(std::declval<Request>()))::value_type;

  /// `on_failure`, if there is one, is told of each failure of the resource.
  explicit coordinator(open_function open, failure_function on_failure = {}) noexcept
      : open_{std::move(open)}, on_failure_{std::move(on_failure)} {}

  task<result<answer_type>> on(Request m) {
    try {
      if (!resource_) {
        Resource fresh = co_await open_();
        resource_.emplace(std::move(fresh));
      }
      co_return co_await resource_->serve(std::move(m));
    } catch (const system_error& error) {
      co_return fail(error.code());
    } catch (const std::exception& error) {
      log(log_level::warning, std::string{"a coordinator's resource has failed: "} + error.what());
      co_return fail(ask_errc::receiver_failed);
    }
  }

private:
  boost::system::error_code fail(boost::system::error_code error) {
    resource_.reset();
    if (on_failure_) on_failure_(error);
    return error;
  }

  open_function open_;
  failure_function on_failure_;
  std::optional<Resource> resource_;
};

}  // namespace troupe::inline v0_1::actors
