#include <troupe/net/tcp.hpp>

#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <troupe/io/wait_count.hpp>
#include <troupe/net/detail/address.hpp>
#include <troupe/net/detail/owned_fd.hpp>
#include <troupe/net/detail/socket_listener.hpp>
#include <troupe/net/detail/socket_stream.hpp>
#include <troupe/net/reactor.hpp>

namespace troupe::net {

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

owned_fd make_socket(int family) {
  return owned_fd{::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
}

/// Waits until a connection that was begun stands, or has failed.
class connect_operation final : public troupe::detail::fallible_operation<connect_operation> {
public:
  static constexpr const char* name = "a connection to a peer (connect)";

  explicit connect_operation(detail::socket_stream& socket) noexcept : socket_{&socket} {}

  bool poll() noexcept {
    outcome_ = socket_->try_finish_connect();
    return outcome_.has_value();
  }
  bool enlist(waker key) noexcept { return count_.begin(socket_->enlist_write(key)); }
  void delist() noexcept {
    if (count_.end()) socket_->delist_write();
  }
  result<void> take() { return std::move(*outcome_); }

private:
  detail::socket_stream* socket_;
  io::attempt<void> outcome_;
  io::wait_count count_;
};

}  // namespace

io::listener tcp_listen(const std::string& address, std::uint16_t port,
                        tcp_listen_options options) {
  reactor& here = reactor::current();
  constexpr const char* failed = "cannot listen on ";
  result<detail::socket_address> parsed = detail::parse_address(address, port);
  if (parsed.has_error()) fail(parsed.error(), failed, address, port);

  owned_fd socket = make_socket(parsed->family());
  if (socket.get() < 0) fail(last_error(), failed, address, port);
  if (options.reuse_address) switch_on(socket.get(), SOL_SOCKET, SO_REUSEADDR);
  if (::bind(socket.get(), parsed->data(), parsed->size_bytes) != 0 ||
      ::listen(socket.get(), options.backlog_count) != 0) {
    fail(last_error(), failed, address, port);
  }
  auto& device = detail::socket_listener::make(here.core(), socket.release(), options.no_delay);
  return io::listener{io::listener_device_ptr{&device}};
}

task<io::stream> tcp_connect(std::string host, std::uint16_t port, tcp_connect_options options) {
  reactor& here = reactor::current();
  constexpr const char* failed = "cannot connect to ";
  result<detail::socket_address> parsed = detail::parse_address(host, port);
  if (parsed.has_error()) fail(parsed.error(), failed, host, port);

  owned_fd socket = make_socket(parsed->family());
  if (socket.get() < 0) fail(last_error(), failed, host, port);
  if (options.no_delay) switch_on(socket.get(), IPPROTO_TCP, TCP_NODELAY);
  // Before epoll knows the socket: an unconnected one would be reported as hung up.
  if (::connect(socket.get(), parsed->data(), parsed->size_bytes) != 0 && errno != EINPROGRESS) {
    fail(last_error(), failed, host, port);
  }
  auto& device = detail::socket_stream::make(here.core(), socket.release());
  io::stream connected{io::stream_device_ptr{&device}};
  connect_operation finished{device};
  result<void> outcome = co_await std::move(finished).as_result();
  if (outcome.has_error()) fail(outcome.error(), failed, host, port);
  // With nobody listening, a connection to an ephemeral port may meet itself.
  if (connected.local_address() == connected.peer_address()) {
    fail(make_error_code(boost::system::errc::connection_refused), failed, host, port);
  }
  co_return connected;
}

}  // namespace troupe::net
