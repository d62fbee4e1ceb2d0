#pragma once

#include <memory>
#include <optional>
#include <source_location>

#include <troupe/sched/driver.hpp>

namespace troupe::inline v0_1::net {

namespace detail {
class reactor_core;
}

/// The driver of a runtime that does network I/O, run by the workers themselves, one at a time.
///
/// Sockets of net functions wait in an epoll set of its own, registered once and edge-triggered. A
/// Boost.Asio io_context, for what is made of Asio (use_task), joins in from its first use on.
///
/// Sockets keep what they need of it alive: they may outlive the reactor, and are then of no use
/// but harmless.
///
/// Bounds: wait() is exact to about 60 us.
/// Example:
///     scheduler_config config;
///     config.io = std::make_unique<net::reactor>();
class reactor final : public driver {
public:
  /// Errors: system_error when the system is out of descriptors.
  reactor();
  ~reactor() override;
  reactor(const reactor&) = delete;
  reactor& operator=(const reactor&) = delete;

  /// Exceptions that leave handlers of the user (use_task makes none) go to the failure sink.
  void wait(std::optional<time_point> until) override;
  void poll(std::size_t most) override;
  void interrupt() noexcept override;
  [[nodiscard]] int descriptor() const noexcept override;
  void stop_intake() noexcept override;

  /// What the net functions work on.
  [[nodiscard]] const std::shared_ptr<detail::reactor_core>& core() const noexcept { return core_; }

  /// Returns: the reactor of the runtime that the calling thread works for.
  /// Errors:  outside a runtime, or in one without a net::reactor: a misuse, one line.
  [[nodiscard]] static reactor& current(std::source_location where = {});

private:
  class asio_loop;

  template <class Run>
  void run_handlers(Run run);

  std::shared_ptr<detail::reactor_core> core_;
  std::unique_ptr<asio_loop> asio_;  // Null until somebody uses the io_context.
  unsigned rounds_ = 0;
};

}  // namespace troupe::inline v0_1::net
