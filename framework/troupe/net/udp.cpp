#include <troupe/net/udp.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <vector>

#include <sys/socket.h>

#include <troupe/net/detail/address.hpp>
#include <troupe/net/detail/owned_fd.hpp>
#include <troupe/net/detail/socket_datagram.hpp>
#include <troupe/net/reactor.hpp>
#include <troupe/net/resolver.hpp>

namespace troupe::inline v0_1::net {

namespace {

using detail::last_error;
using detail::owned_fd;

constexpr int kind = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

[[noreturn]] void fail(boost::system::error_code code, const char* what, const std::string& host,
                       std::uint16_t port) {
  throw system_error{code, what + detail::host_and_port(host, port)};
}

void set(int fd, int option, int value) noexcept {
  ::setsockopt(fd, SOL_SOCKET, option, &value, sizeof value);
}

owned_fd make_socket(int family, const udp_options& options) noexcept {
  owned_fd socket{::socket(family, kind, 0)};
  if (socket.get() < 0) return socket;
  if (options.reuse_address) set(socket.get(), SO_REUSEADDR, 1);
  if (options.broadcast) set(socket.get(), SO_BROADCAST, 1);
  if (options.receive_buffer_bytes != 0) {
    constexpr std::size_t most = std::numeric_limits<int>::max();
    set(socket.get(), SO_RCVBUF, static_cast<int>(std::min(options.receive_buffer_bytes, most)));
  }
  return socket;
}

io::datagram_socket to_socket(reactor& here, owned_fd socket) {
  auto& device = detail::socket_datagram::make(here.core(), socket.release());
  return io::datagram_socket{io::datagram_device_ptr{&device}};
}

// A socket that is connected to the first of `addresses` that the system has a way to; else what
// the last one failed with.
result<owned_fd> connected(const std::vector<io::endpoint>& addresses, const udp_options& options) {
  boost::system::error_code error = make_error_code(boost::system::errc::address_not_available);
  for (const auto& each : addresses) {
    detail::socket_address to = detail::to_socket_address(each);
    owned_fd socket = make_socket(to.family(), options);
    if (socket.get() >= 0 && ::connect(socket.get(), to.data(), to.size_bytes) == 0) return socket;
    error = last_error();
  }
  return error;
}

}  // namespace

io::datagram_socket udp_bind(const std::string& address, std::uint16_t port, udp_options options) {
  reactor& here = reactor::current();
  constexpr const char* failed = "cannot receive at ";
  result<io::endpoint> parsed = io::endpoint::parse(address, port);
  if (parsed.has_error()) fail(parsed.error(), failed, address, port);
  detail::socket_address at = detail::to_socket_address(*parsed);
  owned_fd socket = make_socket(at.family(), options);
  if (socket.get() < 0 || ::bind(socket.get(), at.data(), at.size_bytes) != 0) {
    fail(last_error(), failed, address, port);
  }
  return to_socket(here, std::move(socket));
}

task<io::datagram_socket> udp_connect(std::string host, std::uint16_t port, udp_options options) {
  reactor& here = reactor::current();
  constexpr const char* failed = "cannot send to ";
  std::vector<io::endpoint> addresses;
  boost::system::error_code error;
  io::resolver& names = options.names != nullptr ? *options.names : system_names();
  if (auto numeric = io::endpoint::parse(host, port)) {
    addresses.push_back(*numeric);
  } else {
    try {
      addresses = co_await names.resolve(host, std::to_string(port));
    } catch (const system_error& unknown) {
      error = unknown.code();
    }
  }
  if (error.failed()) fail(error, failed, host, port);
  result<owned_fd> socket = connected(addresses, options);
  if (socket.has_error()) fail(socket.error(), failed, host, port);
  co_return to_socket(here, std::move(*socket));
}

std::pair<io::datagram_socket, io::datagram_socket> datagram_pair() {
  reactor& here = reactor::current();
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, kind, 0, ends.data()) != 0) {
    throw_error(last_error(), "cannot make a pair of datagram sockets");
  }
  owned_fd near{ends[0]}, far{ends[1]};
  io::datagram_socket first = to_socket(here, std::move(near));
  return {std::move(first), to_socket(here, std::move(far))};
}

}  // namespace troupe::inline v0_1::net
