#include <troupe/net/detail/socket_datagram.hpp>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <troupe/net/detail/address.hpp>
#include <troupe/net/detail/try_call.hpp>

namespace troupe::inline v0_1::net::detail {

// An error is of one datagram, not of the socket: neither direction ends with it.
void socket_datagram::on_event(std::uint32_t events) noexcept {
  bool either = (events & (EPOLLERR | EPOLLHUP)) != 0;
  if (either || (events & (EPOLLIN | EPOLLRDHUP)) != 0) receiving_.fire(false);
  if (either || (events & EPOLLOUT) != 0) sending_.fire(false);
}

// What one try leaves behind brings no event: each but the one that found nothing is followed by
// another.
io::attempt<io::datagram> socket_datagram::try_receive(std::span<std::byte> into) noexcept {
  socket_address from;
  iovec part{into.data(), into.size()};
  msghdr message{};
  auto receive = [&] {
    message = msghdr{};
    message.msg_name = from.data();
    message.msg_namelen = sizeof from.storage;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    return ::recvmsg(fd(), &message, 0);
  };
  io::attempt<std::size_t> count = try_call(receiving_, receive, &always);
  if (!count) return std::nullopt;
  if (count->has_error()) return count->error();
  if ((message.msg_flags & MSG_TRUNC) != 0) return make_error_code(errc::too_long);
  io::datagram taken;
  taken.size_bytes = **count;
  if (message.msg_namelen != 0) taken.from = to_endpoint(*from.data()).value_or(io::endpoint{});
  return taken;
}

io::attempt<void> socket_datagram::try_send(std::span<const std::byte> from,
                                            const std::optional<io::endpoint>& to) noexcept {
  socket_address target;
  if (to) target = to_socket_address(*to);
  auto send = [&] {
    return ::sendto(fd(), from.data(), from.size(), MSG_NOSIGNAL, to ? target.data() : nullptr,
                    to ? target.size_bytes : 0);
  };
  io::attempt<std::size_t> count = try_call(sending_, send, &always);
  if (!count) return std::nullopt;
  if (count->has_error()) return count->error();
  return result<void>{};
}

io::endpoint socket_datagram::local_endpoint() const noexcept {
  return to_endpoint(*local_address(fd()).data()).value_or(io::endpoint{});
}

std::optional<io::endpoint> socket_datagram::peer_endpoint() const noexcept {
  return to_endpoint(*peer_address(fd()).data());
}

}  // namespace troupe::inline v0_1::net::detail
