#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>

#include <troupe/base/result.hpp>

namespace troupe::inline v0_1::io {

/// A numeric IP address and a port: where a packet goes to or comes from. A small value.
///
/// Example: `io::endpoint at = io::endpoint::parse("127.0.0.1", 80).value();`
class endpoint {
public:
  using bytes = std::array<std::uint8_t, 16>;

  /// 0.0.0.0, port 0.
  constexpr endpoint() noexcept {}

  /// Of IPv4, from the four parts of the address in the order that they are written in.
  static endpoint v4(std::array<std::uint8_t, 4> address, std::uint16_t port) noexcept;
  /// Of IPv6; `scope` is the number of the interface that a link-local address belongs to.
  static endpoint v6(const bytes& address, std::uint16_t port, std::uint32_t scope = 0) noexcept;

  /// Reads `127.0.0.1`, `::1`, `fe80::1%eth0`, or `localhost`, which is 127.0.0.1.
  /// Errors: invalid_argument for anything else.
  static result<endpoint> parse(const std::string& address, std::uint16_t port);

  [[nodiscard]] bool is_v6() const noexcept { return is_v6_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::uint32_t scope() const noexcept { return scope_; }
  /// Returns: the address in the order of the network; of IPv4 the first four count.
  [[nodiscard]] const bytes& address() const noexcept { return address_; }

  /// Returns: `127.0.0.1` or `::1`.
  [[nodiscard]] std::string host() const;
  /// Returns: `127.0.0.1:80` or `[::1]:80`.
  [[nodiscard]] std::string text() const;

  friend auto operator<=>(const endpoint&, const endpoint&) = default;

private:
  bytes address_{};
  std::uint32_t scope_ = 0;
  std::uint16_t port_ = 0;
  bool is_v6_ = false;
};

}  // namespace troupe::inline v0_1::io
