#include <troupe/net/detail/pipe_stream.hpp>

#include <cerrno>
#include <csignal>
#include <ctime>

#include <sys/epoll.h>
#include <unistd.h>

#include <troupe/net/detail/try_call.hpp>

namespace troupe::inline v0_1::net::detail {

namespace {

// write(2) that raises no SIGPIPE, which has no flag for it as send(2) has: the signal is blocked
// in this thread, and taken away again if it was this write that brought it.
ssize_t write_quietly(int fd, std::span<const std::byte> from) noexcept {
  sigset_t pipe_only, former, waiting;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  sigpending(&waiting);
  bool was_waiting = sigismember(&waiting, SIGPIPE) == 1;
  pthread_sigmask(SIG_BLOCK, &pipe_only, &former);
  ssize_t count = ::write(fd, from.data(), from.size());
  int error = errno;
  if (count < 0 && error == EPIPE && !was_waiting) {
    timespec at_once{};
    while (sigtimedwait(&pipe_only, nullptr, &at_once) < 0 && errno == EINTR) {
    }
  }
  pthread_sigmask(SIG_SETMASK, &former, nullptr);
  errno = error;
  return count;
}

}  // namespace

void pipe_stream::on_event(std::uint32_t events) noexcept {
  slot_.fire((events & (EPOLLERR | EPOLLHUP)) != 0);
}

// Unlike a socket, a pipe may have more after a short read, and room after a short write: only
// EAGAIN says that an event will come.
io::attempt<std::size_t> pipe_stream::try_read(std::span<std::byte> into) noexcept {
  return try_call(slot_, [&] { return ::read(fd(), into.data(), into.size()); }, &always);
}

io::attempt<std::size_t> pipe_stream::try_write(std::span<const std::byte> from) noexcept {
  if (fd() < 0) return make_error_code(boost::system::errc::broken_pipe);  // After a shutdown.
  return try_call(slot_, [&] { return write_quietly(fd(), from); }, &always);
}

// A pipe has no other direction that could go on.
io::attempt<void> pipe_stream::try_shutdown() noexcept {
  close_fd();
  return result<void>{};
}

}  // namespace troupe::inline v0_1::net::detail
