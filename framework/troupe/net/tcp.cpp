#include <troupe/net/tcp.hpp>

#include <cerrno>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <troupe/net/detail/address.hpp>
#include <troupe/net/detail/connect_race.hpp>
#include <troupe/net/detail/network_here.hpp>
#include <troupe/net/detail/owned_fd.hpp>
#include <troupe/net/detail/socket_listener.hpp>
#include <troupe/net/detail/socket_stream.hpp>
#include <troupe/net/reactor.hpp>
#include <troupe/net/resolver.hpp>

namespace troupe::inline v0_1::net {

namespace {

using detail::last_error;
using detail::owned_fd;

[[noreturn]] void fail(boost::system::error_code code, const char* what, const std::string& host,
                       std::uint16_t port) {
  throw system_error{code, what + detail::host_and_port(host, port)};
}

void switch_on(int fd, int level, int option) noexcept {
  int on = 1;
  ::setsockopt(fd, level, option, &on, sizeof on);
}

result<io::listener_device_ptr> listen_at(reactor& here, const io::endpoint& address,
                                          const tcp_listen_options& options) {
  detail::socket_address at = detail::to_socket_address(address);
  owned_fd socket{::socket(at.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (socket.get() < 0) return last_error();
  if (options.reuse_address) switch_on(socket.get(), SOL_SOCKET, SO_REUSEADDR);
  if (::bind(socket.get(), at.data(), at.size_bytes) != 0 ||
      ::listen(socket.get(), options.backlog_count) != 0) {
    return last_error();
  }
  auto& device = detail::socket_listener::make(here.core(), socket.release(), options.no_delay);
  return io::listener_device_ptr{&device};
}

result<io::connecting_device_ptr> begin_connection(const reactor& here, const io::endpoint& address,
                                                   bool no_delay) {
  detail::socket_address to = detail::to_socket_address(address);
  owned_fd socket{::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (socket.get() < 0) return last_error();
  if (no_delay) switch_on(socket.get(), IPPROTO_TCP, TCP_NODELAY);
  // Before epoll knows the socket: an unconnected one would be reported as hung up.
  if (::connect(socket.get(), to.data(), to.size_bytes) != 0 && errno != EINPROGRESS) {
    return last_error();
  }
  return io::connecting_device_ptr{&detail::socket_stream::make(here.core(), socket.release())};
}

detail::dial_function dial_from_here(bool no_delay) {
  return [here = detail::network_here{}, no_delay](const io::endpoint& to) {
    return here.simulated != nullptr ? here.simulated->connect(to)
                                     : begin_connection(*here.real, to, no_delay);
  };
}

}  // namespace

io::listener tcp_listen(const std::string& address, std::uint16_t port, tcp_listen_options options,
                        std::source_location where) {
  detail::network_here here{where};
  constexpr const char* failed = "cannot listen on ";
  result<io::endpoint> at = io::endpoint::parse(address, port);
  if (at.has_error()) fail(at.error(), failed, address, port);
  result<io::listener_device_ptr> device = here.simulated != nullptr
                                               ? here.simulated->listen(*at, options.backlog_count)
                                               : listen_at(*here.real, *at, options);
  if (device.has_error()) fail(device.error(), failed, address, port);
  return io::listener{std::move(*device)};
}

task<io::stream> tcp_connect(std::string host, std::uint16_t port, tcp_connect_options options) {
  detail::dial_function dial = dial_from_here(options.no_delay);
  constexpr const char* failed = "cannot connect to ";
  std::vector<io::endpoint> addresses;
  boost::system::error_code error;
  if (auto numeric = io::endpoint::parse(host, port)) {
    addresses.push_back(*numeric);
  } else {
    io::resolver& names = options.names != nullptr ? *options.names : system_names();
    try {
      addresses = co_await names.resolve(host, std::to_string(port));
    } catch (const system_error& unknown) {
      error = unknown.code();
    }
  }
  if (error.failed()) fail(error, failed, host, port);
  detail::connect_race race{std::move(dial), detail::families_in_turn(addresses),
                            options.next_after};
  result<io::stream> connected = co_await std::move(race).as_result();
  if (connected.has_error()) fail(connected.error(), failed, host, port);
  co_return std::move(*connected);
}

}  // namespace troupe::inline v0_1::net
