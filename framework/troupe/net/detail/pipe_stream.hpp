#pragma once

#include <string>

#include <troupe/io/stream_device.hpp>
#include <troupe/net/detail/watched_fd.hpp>

namespace troupe::inline v0_1::net::detail {

/// One end of a pipe as the device of an io::stream, of which one direction works.
class pipe_stream final : public io::stream_device, private watched_fd {
public:
  /// Takes over the non-blocking descriptor `fd`, also when it throws; see watched_fd.
  static pipe_stream& make(std::shared_ptr<reactor_core> core, int fd) {
    return *new pipe_stream{std::move(core), fd};
  }

  [[nodiscard]] io::attempt<std::size_t> try_read(std::span<std::byte> into) noexcept override;
  [[nodiscard]] io::attempt<std::size_t> try_write(
      std::span<const std::byte> from) noexcept override;
  [[nodiscard]] io::attempt<void> try_shutdown() noexcept override;

  [[nodiscard]] bool enlist_read(waker key) noexcept override { return slot_.enlist(key); }
  void delist_read() noexcept override { slot_.delist(); }
  [[nodiscard]] bool enlist_write(waker key) noexcept override { return slot_.enlist(key); }
  void delist_write() noexcept override { slot_.delist(); }

  [[nodiscard]] std::string local_address() const override { return {}; }
  [[nodiscard]] std::string peer_address() const override { return {}; }
  void close() noexcept override { release(); }

private:
  pipe_stream(std::shared_ptr<reactor_core> core, int fd) : watched_fd{std::move(core), fd} {
    begin_events();
  }
  ~pipe_stream() override = default;

  void on_event(std::uint32_t events) noexcept override;

  wait_slot slot_;  // Of the one direction that there is.
};

}  // namespace troupe::inline v0_1::net::detail
