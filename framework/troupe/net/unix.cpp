#include <troupe/net/unix.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include <sys/socket.h>
#include <sys/stat.h>

#include <troupe/io/simulated_network.hpp>
#include <troupe/net/detail/address.hpp>
#include <troupe/net/detail/network_here.hpp>
#include <troupe/net/detail/owned_fd.hpp>
#include <troupe/net/detail/socket_listener.hpp>
#include <troupe/net/detail/socket_stream.hpp>
#include <troupe/net/detail/unix_file.hpp>
#include <troupe/net/reactor.hpp>
#include <troupe/sched/sleep.hpp>

namespace troupe::inline v0_1::net {

namespace {

using detail::last_error;
using detail::owned_fd;

constexpr int kind = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

[[noreturn]] void fail(boost::system::error_code code, const char* what, const std::string& path) {
  throw system_error{code, what + path};
}

bool is_abstract(const std::string& path) noexcept { return path.starts_with('@'); }

// The permissions are set before listen(): until then nobody can connect.
boost::system::error_code bind_and_listen(int socket, const std::string& path,
                                          const detail::socket_address& address,
                                          const unix_listen_options& options) noexcept {
  int bound = ::bind(socket, address.data(), address.size_bytes);
  if (bound != 0 && errno == EADDRINUSE && options.replaces_stale && !is_abstract(path)) {
    if (!detail::remove_stale_socket(path)) return last_error(EADDRINUSE);
    bound = ::bind(socket, address.data(), address.size_bytes);
  }
  if (bound != 0) return last_error();
  bool changes_mode = options.mode && !is_abstract(path);
  if ((!changes_mode || ::chmod(path.c_str(), *options.mode) == 0) &&
      ::listen(socket, options.backlog_count) == 0) {
    return {};
  }
  boost::system::error_code error = last_error();
  if (!is_abstract(path)) ::unlink(path.c_str());
  return error;
}

result<io::listener_device_ptr> listen_at(reactor& here, const std::string& path,
                                          const unix_listen_options& options) {
  result<detail::socket_address> address = detail::unix_address(path);
  if (address.has_error()) return address.error();
  owned_fd socket{::socket(AF_UNIX, kind, 0)};
  if (socket.get() < 0) return last_error();
  if (auto error = bind_and_listen(socket.get(), path, *address, options); error.failed()) {
    return error;
  }
  detail::unix_file file;
  if (!is_abstract(path)) file = detail::unix_file{path};
  try {
    auto& device = detail::socket_listener::make(here.core(), socket.release(), false, file);
    return io::listener_device_ptr{&device};
  } catch (...) {
    file.remove();
    throw;
  }
}

/// One socket that is to be connected to a path; tried again while the listener's queue is full.
class unix_caller {
public:
  /// Errors: resource_unavailable_try_again while there is no room; others are final.
  result<io::stream_device_ptr> try_connect(const std::string& path) {
    if (here_.simulated != nullptr) return here_.simulated->connect_unix(path);
    result<detail::socket_address> address = detail::unix_address(path);
    if (address.has_error()) return address.error();
    if (socket_.get() < 0) socket_ = owned_fd{::socket(AF_UNIX, kind, 0)};
    if (socket_.get() < 0) return last_error();
    while (::connect(socket_.get(), address->data(), address->size_bytes) != 0) {
      if (errno != EINTR) return last_error();
    }
    return io::stream_device_ptr{
        &detail::socket_stream::make(here_.real->core(), socket_.release())};
  }

private:
  detail::network_here here_;
  owned_fd socket_{-1};
};

}  // namespace

io::listener unix_listen(const std::string& path, unix_listen_options options) {
  detail::network_here here;
  result<io::listener_device_ptr> device =
      here.simulated != nullptr
          ? here.simulated->listen_unix(path, options.backlog_count, options.replaces_stale)
          : listen_at(*here.real, path, options);
  if (device.has_error()) fail(device.error(), "cannot listen on ", path);
  return io::listener{std::move(*device)};
}

task<io::stream> unix_connect(std::string path) {
  constexpr std::chrono::milliseconds longest_pause{100};
  // It stands at once, or the queue of the listener is full: of its room no event tells.
  std::chrono::milliseconds pause{1};
  unix_caller caller;
  result<io::stream_device_ptr> connected = caller.try_connect(path);
  while (connected.has_error()) {
    if (connected.error() != boost::system::errc::resource_unavailable_try_again) {
      fail(connected.error(), "cannot connect to ", path);
    }
    co_await sleep_for(pause);
    pause = std::min(pause * 2, longest_pause);
    connected = caller.try_connect(path);
  }
  co_return io::stream{std::move(*connected)};
}

std::pair<io::stream, io::stream> stream_pair() {
  if (io::simulated_network* simulated = io::simulated_network::current()) {
    auto [first, second] = simulated->stream_pair();
    return {io::stream{std::move(first)}, io::stream{std::move(second)}};
  }
  reactor& here = reactor::current();
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, kind, 0, ends.data()) != 0) {
    throw_error(last_error(), "cannot make a pair of streams");
  }
  owned_fd far_end{ends[1]};
  io::stream near{io::stream_device_ptr{&detail::socket_stream::make(here.core(), ends[0])}};
  io::stream far{
      io::stream_device_ptr{&detail::socket_stream::make(here.core(), far_end.release())}};
  return {std::move(near), std::move(far)};
}

result<peer_credentials> credentials_of_peer(const io::stream& peer) {
  auto* socket = dynamic_cast<detail::socket_stream*>(&peer.device());
  if (socket == nullptr) return make_error_code(boost::system::errc::not_supported);
  return socket->peer_credentials();
}

}  // namespace troupe::inline v0_1::net
