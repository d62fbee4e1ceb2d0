#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/socket.h>

#include <troupe/base/result.hpp>
#include <troupe/io/endpoint.hpp>

namespace troupe::inline v0_1::net::detail {

/// The address of a socket, as the system's calls want it.
struct socket_address {
  sockaddr_storage storage{};
  socklen_t size_bytes = sizeof(sockaddr_storage);

  [[nodiscard]] sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] const sockaddr* data() const noexcept {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
  [[nodiscard]] int family() const noexcept { return storage.ss_family; }
  [[nodiscard]] std::uint16_t port() const noexcept;

  /// Returns: `127.0.0.1:80`, `[::1]:80`, the path of a unix socket, or `@name`; empty without one.
  [[nodiscard]] std::string text() const;
};

/// The same address for the system, and back; nothing for what is no IP address.
[[nodiscard]] socket_address to_socket_address(const io::endpoint& at) noexcept;
[[nodiscard]] std::optional<io::endpoint> to_endpoint(const sockaddr& at) noexcept;
[[nodiscard]] io::endpoint with_port(const io::endpoint& at, std::uint16_t port) noexcept;

/// The address of a unix socket: a path, or `@` and an abstract name.
/// Errors: invalid_argument when it is empty or has a 0 in it, filename_too_long.
[[nodiscard]] result<socket_address> unix_address(const std::string& path) noexcept;

/// The address that `fd` is bound to, and the one it is connected to; empty when it is not.
[[nodiscard]] socket_address local_address(int fd) noexcept;
[[nodiscard]] socket_address peer_address(int fd) noexcept;

/// The number of a port that `text` is; nothing if it is none.
[[nodiscard]] std::optional<std::uint16_t> port_in(std::string_view text) noexcept;

/// `host:port`, with brackets where the host has colons.
[[nodiscard]] std::string host_and_port(const std::string& host, std::uint16_t port);

}  // namespace troupe::inline v0_1::net::detail
