#pragma once

#include <chrono>
#include <optional>

#include <troupe/io/listener_device.hpp>
#include <troupe/net/detail/unix_file.hpp>
#include <troupe/net/detail/watched_fd.hpp>
#include <troupe/sched/sleep.hpp>

namespace troupe::inline v0_1::net::detail {

/// A listening socket as the device of an io::listener.
///
/// When the process has no descriptors left, accepting would fail at once for ever. Then a spare
/// descriptor is given up for a moment to take one connection and close it, so that its peer is
/// told; the error is reported, and nothing is accepted for a while, longer each time.
class socket_listener final : public io::listener_device, private watched_fd, private intake {
public:
  /// Takes over the non-blocking listening socket `fd`, also when it throws; see watched_fd. With
  /// `file`, which is removed when it closes.
  static socket_listener& make(std::shared_ptr<reactor_core> core, int fd, bool no_delay,
                               unix_file file = {}) {
    return *new socket_listener{std::move(core), fd, no_delay, std::move(file)};
  }

  [[nodiscard]] io::attempt<io::stream_device_ptr> try_accept() noexcept override;
  [[nodiscard]] bool enlist_accept(waker key) noexcept override;
  void delist_accept() noexcept override;

  [[nodiscard]] std::string local_address() const override;
  [[nodiscard]] std::uint16_t port() const noexcept override;
  void close() noexcept override;

private:
  socket_listener(std::shared_ptr<reactor_core> core, int fd, bool no_delay, unix_file file);
  ~socket_listener() override;

  void on_event(std::uint32_t) noexcept override { slot_.fire(false); }
  void stop_intake() noexcept override { slot_.close(); }
  io::attempt<io::stream_device_ptr> take(int connection) noexcept;
  boost::system::error_code pause(int error) noexcept;
  void refuse_one() noexcept;
  [[nodiscard]] bool pausing() const noexcept;

  wait_slot slot_;
  std::optional<troupe::detail::sleep_operation> pause_;  // What a wait during a pause waits for.
  time_point pause_ends_{};
  std::chrono::milliseconds next_pause_;
  unix_file file_;
  int spare_ = -1;
  bool no_delay_;
};

}  // namespace troupe::inline v0_1::net::detail
