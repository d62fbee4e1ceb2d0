#pragma once

#include <cstdint>
#include <memory>

#include <troupe/net/detail/poller.hpp>
#include <troupe/net/detail/reactor_core.hpp>

namespace troupe::inline v0_1::net::detail {

/// A non-blocking descriptor in the reactor's epoll set.
///
/// It frees itself after release(), but only when no thread can still be looking at an event that
/// names it: at the reactor's next step, see reactor_core::retire().
/// Threads: each slot belongs to one task at a time; release() comes last and alone.
class watched_fd {
public:
  watched_fd(const watched_fd&) = delete;
  watched_fd& operator=(const watched_fd&) = delete;

  /// Called by the poller with the EPOLL bits of an event.
  virtual void on_event(std::uint32_t events) noexcept = 0;

protected:
  /// Takes over `fd`, also when it throws.
  /// Errors: system_error when epoll does not take the descriptor.
  watched_fd(std::shared_ptr<reactor_core> core, int fd);
  virtual ~watched_fd() = default;

  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] const std::shared_ptr<reactor_core>& core() const noexcept { return core_; }

  /// Begins to get events. Called at the end of the constructor of the class that handles them.
  void begin_events();

  /// Closes the descriptor; fd() is -1 from here on.
  void close_fd() noexcept;

  /// Closes the descriptor, if that was not done, and gives this object up.
  void release() noexcept;

private:
  friend class reactor_core;

  std::shared_ptr<reactor_core> core_;
  int fd_;
  watched_fd* next_retired_ = nullptr;
};

}  // namespace troupe::inline v0_1::net::detail
