#pragma once

#include <troupe/io/stream_device.hpp>
#include <troupe/net/detail/watched_fd.hpp>
#include <troupe/net/unix.hpp>

namespace troupe::inline v0_1::net::detail {

/// A connected stream socket as the device of an io::stream.
class socket_stream final : public io::connecting_device, private watched_fd {
public:
  /// Takes over the non-blocking socket `fd`, also when it throws; see watched_fd.
  static socket_stream& make(std::shared_ptr<reactor_core> core, int fd) {
    return *new socket_stream{std::move(core), fd};
  }

  [[nodiscard]] io::attempt<std::size_t> try_read(std::span<std::byte> into) noexcept override;
  [[nodiscard]] io::attempt<std::size_t> try_write(
      std::span<const std::byte> from) noexcept override;
  [[nodiscard]] io::attempt<void> try_shutdown() noexcept override;

  [[nodiscard]] bool enlist_read(waker key) noexcept override { return reading_.enlist(key); }
  void delist_read() noexcept override { reading_.delist(); }
  [[nodiscard]] bool enlist_write(waker key) noexcept override { return writing_.enlist(key); }
  void delist_write() noexcept override { writing_.delist(); }

  [[nodiscard]] std::string local_address() const override;
  [[nodiscard]] std::string peer_address() const override;
  void close() noexcept override { release(); }

  [[nodiscard]] io::attempt<void> try_finish_connect() noexcept override;

  /// See net::credentials_of_peer().
  [[nodiscard]] result<net::peer_credentials> peer_credentials() const noexcept;

private:
  socket_stream(std::shared_ptr<reactor_core> core, int fd) : watched_fd{std::move(core), fd} {
    begin_events();
  }
  ~socket_stream() override = default;

  [[nodiscard]] bool is_connected_to_itself() const noexcept;
  void on_event(std::uint32_t events) noexcept override;

  wait_slot reading_;
  wait_slot writing_;
};

}  // namespace troupe::inline v0_1::net::detail
