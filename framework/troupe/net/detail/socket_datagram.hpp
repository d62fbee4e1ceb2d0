#pragma once

#include <troupe/io/datagram_device.hpp>
#include <troupe/net/detail/watched_fd.hpp>

namespace troupe::inline v0_1::net::detail {

/// A datagram socket as the device of an io::datagram_socket.
class socket_datagram final : public io::datagram_device, private watched_fd {
public:
  /// Takes over the non-blocking socket `fd`, also when it throws; see watched_fd.
  static socket_datagram& make(std::shared_ptr<reactor_core> core, int fd) {
    return *new socket_datagram{std::move(core), fd};
  }

  [[nodiscard]] io::attempt<io::datagram> try_receive(std::span<std::byte> into) noexcept override;
  [[nodiscard]] io::attempt<void> try_send(std::span<const std::byte> from,
                                           const std::optional<io::endpoint>& to) noexcept override;

  [[nodiscard]] bool enlist_receive(waker key) noexcept override { return receiving_.enlist(key); }
  void delist_receive() noexcept override { receiving_.delist(); }
  [[nodiscard]] bool enlist_send(waker key) noexcept override { return sending_.enlist(key); }
  void delist_send() noexcept override { sending_.delist(); }

  [[nodiscard]] io::endpoint local_endpoint() const noexcept override;
  [[nodiscard]] std::optional<io::endpoint> peer_endpoint() const noexcept override;
  void close() noexcept override { release(); }

private:
  socket_datagram(std::shared_ptr<reactor_core> core, int fd) : watched_fd{std::move(core), fd} {
    begin_events();
  }
  ~socket_datagram() override = default;

  void on_event(std::uint32_t events) noexcept override;

  wait_slot receiving_;
  wait_slot sending_;
};

}  // namespace troupe::inline v0_1::net::detail
