#include <troupe/net/detail/address.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <system_error>

#include <netinet/in.h>
#include <sys/un.h>

namespace troupe::inline v0_1::net::detail {

namespace {

std::string unix_text(const socket_address& address) {
  const auto& name = reinterpret_cast<const sockaddr_un&>(address.storage);
  constexpr std::size_t begin = offsetof(sockaddr_un, sun_path);
  if (address.size_bytes <= begin) return {};
  std::size_t length = std::min<std::size_t>(address.size_bytes - begin, sizeof name.sun_path);
  if (name.sun_path[0] == 0) return "@" + std::string{name.sun_path + 1, length - 1};
  return std::string{name.sun_path, ::strnlen(name.sun_path, length)};
}

}  // namespace

std::uint16_t socket_address::port() const noexcept {
  std::optional<io::endpoint> at = to_endpoint(*data());
  return at ? at->port() : std::uint16_t{0};
}

std::string socket_address::text() const {
  if (family() == AF_UNIX) return unix_text(*this);
  std::optional<io::endpoint> at = to_endpoint(*data());
  return at ? at->text() : std::string{};
}

socket_address to_socket_address(const io::endpoint& at) noexcept {
  socket_address made;
  if (at.is_v6()) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(at.port());
    v6.sin6_scope_id = at.scope();
    std::memcpy(&v6.sin6_addr, at.address().data(), sizeof v6.sin6_addr);
    std::memcpy(&made.storage, &v6, sizeof v6);
    made.size_bytes = sizeof v6;
  } else {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(at.port());
    std::memcpy(&v4.sin_addr, at.address().data(), sizeof v4.sin_addr);
    std::memcpy(&made.storage, &v4, sizeof v4);
    made.size_bytes = sizeof v4;
  }
  return made;
}

std::optional<io::endpoint> to_endpoint(const sockaddr& at) noexcept {
  if (at.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &at, sizeof v4);
    std::array<std::uint8_t, 4> address{};
    std::memcpy(address.data(), &v4.sin_addr, sizeof address);
    return io::endpoint::v4(address, ntohs(v4.sin_port));
  }
  if (at.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &at, sizeof v6);
    io::endpoint::bytes address{};
    std::memcpy(address.data(), &v6.sin6_addr, sizeof address);
    return io::endpoint::v6(address, ntohs(v6.sin6_port), v6.sin6_scope_id);
  }
  return std::nullopt;
}

io::endpoint with_port(const io::endpoint& at, std::uint16_t port) noexcept {
  if (at.is_v6()) return io::endpoint::v6(at.address(), port, at.scope());
  std::array<std::uint8_t, 4> address{};
  std::copy_n(at.address().begin(), address.size(), address.begin());
  return io::endpoint::v4(address, port);
}

result<socket_address> unix_address(const std::string& path) noexcept {
  using namespace boost::system::errc;
  if (path.empty() || path == "@" || path.find('\0') != path.npos) {
    return make_error_code(invalid_argument);
  }
  socket_address made;
  sockaddr_un name{};
  bool is_abstract = path.starts_with('@');
  // An abstract name has no end mark: its length is that of the address.
  if (path.size() + (is_abstract ? 0 : 1) > sizeof name.sun_path) {
    return make_error_code(filename_too_long);
  }
  name.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), name.sun_path);
  if (is_abstract) name.sun_path[0] = 0;
  std::memcpy(&made.storage, &name, sizeof name);
  made.size_bytes =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (is_abstract ? 0 : 1));
  return made;
}

socket_address local_address(int fd) noexcept {
  socket_address found;
  if (::getsockname(fd, found.data(), &found.size_bytes) != 0) return socket_address{};
  return found;
}

socket_address peer_address(int fd) noexcept {
  socket_address found;
  if (::getpeername(fd, found.data(), &found.size_bytes) != 0) return socket_address{};
  return found;
}

std::optional<std::uint16_t> port_in(std::string_view text) noexcept {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return port;
}

std::string host_and_port(const std::string& host, std::uint16_t port) {
  bool is_v6 = host.find(':') != host.npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace troupe::inline v0_1::net::detail
