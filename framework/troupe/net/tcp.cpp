#include <troupe/net/tcp.hpp>

#include <cerrno>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include <troupe/net/detail/address.hpp>
#include <troupe/net/detail/connect_race.hpp>
#include <troupe/net/detail/owned_fd.hpp>
#include <troupe/net/detail/socket_listener.hpp>
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

}  // namespace

io::listener tcp_listen(const std::string& address, std::uint16_t port,
                        tcp_listen_options options) {
  reactor& here = reactor::current();
  constexpr const char* failed = "cannot listen on ";
  result<io::endpoint> parsed = io::endpoint::parse(address, port);
  if (parsed.has_error()) fail(parsed.error(), failed, address, port);

  detail::socket_address at = detail::to_socket_address(*parsed);
  owned_fd socket{::socket(at.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (socket.get() < 0) fail(last_error(), failed, address, port);
  if (options.reuse_address) switch_on(socket.get(), SOL_SOCKET, SO_REUSEADDR);
  if (::bind(socket.get(), at.data(), at.size_bytes) != 0 ||
      ::listen(socket.get(), options.backlog_count) != 0) {
    fail(last_error(), failed, address, port);
  }
  auto& device = detail::socket_listener::make(here.core(), socket.release(), options.no_delay);
  return io::listener{io::listener_device_ptr{&device}};
}

task<io::stream> tcp_connect(std::string host, std::uint16_t port, tcp_connect_options options) {
  reactor& here = reactor::current();
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
  detail::connect_race race{here.core(), detail::families_in_turn(addresses), options.no_delay,
                            options.next_after};
  result<io::stream> connected = co_await std::move(race).as_result();
  if (connected.has_error()) fail(connected.error(), failed, host, port);
  co_return std::move(*connected);
}

}  // namespace troupe::inline v0_1::net
