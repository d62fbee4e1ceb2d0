#include <troupe/net/udp.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <vector>

#include <sys/socket.h>

#include <troupe/io/simulated_network.hpp>
#include <troupe/net/detail/address.hpp>
#include <troupe/net/detail/network_here.hpp>
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

io::datagram_device_ptr to_device(reactor& here, owned_fd socket) {
  return io::datagram_device_ptr{&detail::socket_datagram::make(here.core(), socket.release())};
}

result<io::datagram_device_ptr> bind_at(reactor& here, const io::endpoint& address,
                                        const udp_options& options) {
  detail::socket_address at = detail::to_socket_address(address);
  owned_fd socket = make_socket(at.family(), options);
  if (socket.get() < 0 || ::bind(socket.get(), at.data(), at.size_bytes) != 0) return last_error();
  return to_device(here, std::move(socket));
}

result<io::datagram_device_ptr> connect_to(reactor& here, const io::endpoint& address,
                                           const udp_options& options) {
  detail::socket_address to = detail::to_socket_address(address);
  owned_fd socket = make_socket(to.family(), options);
  if (socket.get() < 0 || ::connect(socket.get(), to.data(), to.size_bytes) != 0) {
    return last_error();
  }
  return to_device(here, std::move(socket));
}

}  // namespace

io::datagram_socket udp_bind(const std::string& address, std::uint16_t port, udp_options options) {
  detail::network_here here;
  constexpr const char* failed = "cannot receive at ";
  result<io::endpoint> at = io::endpoint::parse(address, port);
  if (at.has_error()) fail(at.error(), failed, address, port);
  result<io::datagram_device_ptr> device =
      here.simulated != nullptr ? here.simulated->bind_datagrams(*at, options.reuse_address)
                                : bind_at(*here.real, *at, options);
  if (device.has_error()) fail(device.error(), failed, address, port);
  return io::datagram_socket{std::move(*device)};
}

task<io::datagram_socket> udp_connect(std::string host, std::uint16_t port, udp_options options) {
  detail::network_here here;
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
  // The first that the system knows a way to; else what the last one failed with.
  error = make_error_code(boost::system::errc::address_not_available);
  for (const auto& each : addresses) {
    result<io::datagram_device_ptr> device = here.simulated != nullptr
                                                 ? here.simulated->connect_datagrams(each)
                                                 : connect_to(*here.real, each, options);
    if (device.has_value()) co_return io::datagram_socket{std::move(*device)};
    error = device.error();
  }
  fail(error, failed, host, port);
}

std::pair<io::datagram_socket, io::datagram_socket> datagram_pair() {
  if (io::simulated_network* simulated = io::simulated_network::current()) {
    auto [first, second] = simulated->datagram_pair();
    return {io::datagram_socket{std::move(first)}, io::datagram_socket{std::move(second)}};
  }
  reactor& here = reactor::current();
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, kind, 0, ends.data()) != 0) {
    throw_error(last_error(), "cannot make a pair of datagram sockets");
  }
  owned_fd near{ends[0]}, far{ends[1]};
  io::datagram_socket first{to_device(here, std::move(near))};
  return {std::move(first), io::datagram_socket{to_device(here, std::move(far))}};
}

}  // namespace troupe::inline v0_1::net
