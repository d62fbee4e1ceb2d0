#include <troupe/net/detail/socket_listener.hpp>

#include <algorithm>
#include <cerrno>
#include <new>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <troupe/net/detail/address.hpp>
#include <troupe/net/detail/socket_stream.hpp>

namespace troupe::inline v0_1::net::detail {

namespace {

constexpr std::chrono::milliseconds first_pause{1};
constexpr std::chrono::milliseconds longest_pause{100};

int open_spare() noexcept { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

int accept_one(int listener) noexcept {
  return ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// What accept(2) reports of a connection that was already lost again, not of the listener.
bool is_of_the_peer(int error) noexcept {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

}  // namespace

socket_listener::socket_listener(std::shared_ptr<reactor_core> of, int fd, bool no_delay,
                                 unix_file file)
    : watched_fd{std::move(of), fd},
      next_pause_{first_pause},
      file_{std::move(file)},
      no_delay_{no_delay} {
  begin_events();
  spare_ = open_spare();
  core()->add(*this);
}

socket_listener::~socket_listener() {
  if (spare_ >= 0) ::close(spare_);
}

void socket_listener::close() noexcept {
  core()->remove(*this);
  file_.remove();
  release();
}

io::attempt<io::stream_device_ptr> socket_listener::try_accept() noexcept {
  if (slot_.is_closed()) return make_error_code(errc::canceled);
  if (pausing() || !slot_.take_ready()) return std::nullopt;
  for (;;) {
    int connection = accept_one(fd());
    if (connection >= 0) {
      slot_.put_back();
      return take(connection);
    }
    if (errno == EAGAIN) return std::nullopt;
    if (!is_of_the_peer(errno)) return pause(errno);
  }
}

io::attempt<io::stream_device_ptr> socket_listener::take(int connection) noexcept {
  if (no_delay_) {
    int on = 1;
    ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  try {
    io::stream_device_ptr accepted{&socket_stream::make(core(), connection)};
    next_pause_ = first_pause;
    return accepted;
  } catch (const system_error& error) {
    return pause(error.code().value());
  } catch (const std::bad_alloc&) {  // Before it was taken over.
    ::close(connection);
    return pause(ENOMEM);
  }
}

// Begins a pause because of `error`. Own turn, like all that follows.
boost::system::error_code socket_listener::pause(int error) noexcept {
  if (error == EMFILE || error == ENFILE) refuse_one();
  slot_.put_back();
  pause_ends_ = now() + next_pause_;
  next_pause_ = std::min(next_pause_ * 2, longest_pause);
  return {error, boost::system::system_category()};
}

void socket_listener::refuse_one() noexcept {
  if (spare_ >= 0) ::close(spare_);
  int connection = accept_one(fd());
  if (connection >= 0) ::close(connection);
  spare_ = open_spare();  // Without one, should another thread have been faster: tried again.
}

bool socket_listener::pausing() const noexcept {
  return pause_ends_ != time_point{} && now() < pause_ends_;
}

// During a pause the stop of intake is not waited for: the pause is short.
bool socket_listener::enlist_accept(waker key) noexcept {
  if (!pausing()) return slot_.enlist(key);
  pause_.emplace(pause_ends_);
  pause_->start();
  return !pause_->poll() && pause_->enlist(key);
}

void socket_listener::delist_accept() noexcept {
  slot_.delist();
  if (pause_) pause_->delist();
  pause_.reset();
}

std::string socket_listener::local_address() const { return detail::local_address(fd()).text(); }
std::uint16_t socket_listener::port() const noexcept { return detail::local_address(fd()).port(); }

}  // namespace troupe::inline v0_1::net::detail
