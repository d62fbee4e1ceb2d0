#pragma once

#include <optional>

#include <sys/types.h>

#include <troupe/io/stream_device.hpp>
#include <troupe/net/detail/watched_fd.hpp>
#include <troupe/net/process.hpp>

namespace troupe::inline v0_1::net::detail {

/// A child process that was not yet reaped, by its pidfd: readable when it has ended.
///
/// Its number stays its own until it is reaped, and only this object reaps it.
class child_watch final : private watched_fd {
public:
  /// Takes over the child, also when it throws: it is then killed and reaped.
  static child_watch& make(std::shared_ptr<reactor_core> core, pid_t child);

  [[nodiscard]] pid_t id() const noexcept { return child_; }

  /// Returns: how it has ended; nothing while it runs.
  [[nodiscard]] io::attempt<exit_status> try_wait() noexcept;
  [[nodiscard]] std::optional<exit_status> status() const noexcept;

  /// Returns: false when it has ended. Threads: any.
  bool kill(int signal) const noexcept;

  [[nodiscard]] bool enlist(waker key) noexcept { return slot_.enlist(key); }
  void delist() noexcept { slot_.delist(); }
  [[nodiscard]] bool is_waited_for() const noexcept { return slot_.is_waited_for(); }

  /// Kills the child if it runs, has it reaped in the background, and gives this object up.
  void close() noexcept;

private:
  child_watch(std::shared_ptr<reactor_core> core, int fd, pid_t child)
      : watched_fd{std::move(core), fd}, child_{child} {
    begin_events();
  }
  ~child_watch() override = default;

  void on_event(std::uint32_t) noexcept override { slot_.fire(false); }

  lone_slot slot_;
  pid_t child_;
  std::optional<result<exit_status>> ended_;
};

}  // namespace troupe::inline v0_1::net::detail
