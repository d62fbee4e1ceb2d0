#include <troupe/net/detail/socket_stream.hpp>

#include <cerrno>
#include <utility>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <troupe/net/detail/address.hpp>
#include <troupe/net/detail/try_call.hpp>

namespace troupe::inline v0_1::net::detail {

void socket_stream::on_event(std::uint32_t events) noexcept {
  bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  if (broken || (events & (EPOLLIN | EPOLLRDHUP)) != 0) {
    reading_.fire(broken || (events & EPOLLRDHUP) != 0);
  }
  if (broken || (events & EPOLLOUT) != 0) writing_.fire(broken);
}

// A short read has emptied the socket, and a short write has filled it: no try is worth it before
// the next event. The end of the peer is an event too (EPOLLRDHUP), and stays.
io::attempt<std::size_t> socket_stream::try_read(std::span<std::byte> into) noexcept {
  auto may_have_more = [&](std::size_t taken) { return taken == 0 || taken == into.size(); };
  return try_call(
      reading_, [&] { return ::recv(fd(), into.data(), into.size(), 0); }, may_have_more);
}

io::attempt<std::size_t> socket_stream::try_write(std::span<const std::byte> from) noexcept {
  auto has_room = [&](std::size_t sent) { return sent == from.size(); };
  return try_call(
      writing_, [&] { return ::send(fd(), from.data(), from.size(), MSG_NOSIGNAL); }, has_room);
}

io::attempt<void> socket_stream::try_shutdown() noexcept {
  if (::shutdown(fd(), SHUT_WR) != 0) return last_error();
  return result<void>{};
}

std::string socket_stream::local_address() const { return detail::local_address(fd()).text(); }
std::string socket_stream::peer_address() const { return detail::peer_address(fd()).text(); }

io::attempt<void> socket_stream::try_finish_connect() noexcept {
  if (!writing_.take_ready()) return std::nullopt;
  // A wake alone proves nothing, and SO_ERROR is 0 while the connection is tried.
  pollfd state{fd(), POLLOUT, 0};
  if (::poll(&state, 1, 0) <= 0) return std::nullopt;
  writing_.put_back();
  int error = 0;
  socklen_t size_bytes = sizeof error;
  if (::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &size_bytes) != 0) error = errno;
  if (error != 0) return last_error(error);
  // With nobody listening, a connection to an ephemeral port may meet itself.
  if (is_connected_to_itself()) return make_error_code(boost::system::errc::connection_refused);
  return result<void>{};
}

// Whether both ends have the same address.
bool socket_stream::is_connected_to_itself() const noexcept {
  socket_address near = detail::local_address(fd()), far = detail::peer_address(fd());
  std::optional<io::endpoint> here = to_endpoint(*near.data());
  return here && here == to_endpoint(*far.data());
}

result<net::peer_credentials> socket_stream::peer_credentials() const noexcept {
  if (detail::local_address(fd()).family() != AF_UNIX) {
    return make_error_code(boost::system::errc::not_supported);
  }
  ucred seen{};
  socklen_t size_bytes = sizeof seen;
  if (::getsockopt(fd(), SOL_SOCKET, SO_PEERCRED, &seen, &size_bytes) != 0) {
    return last_error();
  }
  return net::peer_credentials{seen.pid, seen.uid, seen.gid};
}

}  // namespace troupe::inline v0_1::net::detail
