#include <troupe/net/detail/address.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace troupe::net::detail {

namespace {

const sockaddr_in& as_v4(const socket_address& address) noexcept {
  return reinterpret_cast<const sockaddr_in&>(address.storage);
}
const sockaddr_in6& as_v6(const socket_address& address) noexcept {
  return reinterpret_cast<const sockaddr_in6&>(address.storage);
}

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
  if (family() == AF_INET) return ntohs(as_v4(*this).sin_port);
  if (family() == AF_INET6) return ntohs(as_v6(*this).sin6_port);
  return 0;
}

std::string socket_address::text() const {
  std::array<char, INET6_ADDRSTRLEN> host{};
  if (family() == AF_INET) {
    ::inet_ntop(AF_INET, &as_v4(*this).sin_addr, host.data(), host.size());
  } else if (family() == AF_INET6) {
    ::inet_ntop(AF_INET6, &as_v6(*this).sin6_addr, host.data(), host.size());
  } else if (family() == AF_UNIX) {
    return unix_text(*this);
  } else {
    return {};
  }
  return host_and_port(host.data(), port());
}

result<socket_address> parse_address(const std::string& host, std::uint16_t port) {
  socket_address parsed;
  sockaddr_in v4{};
  const char* numeric = host == "localhost" ? "127.0.0.1" : host.c_str();
  if (::inet_pton(AF_INET, numeric, &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&parsed.storage, &v4, sizeof v4);
    parsed.size_bytes = sizeof v4;
    return parsed;
  }
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET6, numeric, &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&parsed.storage, &v6, sizeof v6);
    parsed.size_bytes = sizeof v6;
    return parsed;
  }
  return make_error_code(boost::system::errc::invalid_argument);
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

std::string host_and_port(const std::string& host, std::uint16_t port) {
  bool is_v6 = host.find(':') != host.npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace troupe::net::detail
