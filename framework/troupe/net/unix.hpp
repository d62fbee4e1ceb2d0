#pragma once

#include <optional>
#include <string>
#include <utility>

#include <sys/types.h>

#include <troupe/io/listener.hpp>
#include <troupe/io/stream.hpp>
#include <troupe/task/task.hpp>

namespace troupe::inline v0_1::net {

/// How a listening unix socket is made.
struct unix_listen_options {
  int backlog_count = 4096;    ///< Connections that may wait to be accepted.
  std::optional<mode_t> mode;  ///< Permissions of the file, such as 0600; else as umask says.
  bool replaces_stale = true;  ///< Take the place of a socket file where nobody answers.
};

/// Listens for connections of this machine at the file `path`.
///
/// The file is removed when the listener closes, unless another one has taken its place. One that a
/// process has left behind is replaced, but only if it is a socket and nobody answers there. A path
/// that begins with `@` is an abstract name: there is no file, and the name is free as soon as the
/// listener is gone.
///
/// The listener's local_address() is the path, its port 0. Clients have no address of their own:
/// the peer_address() of accepted streams is empty; credentials_of_peer() tells who it is.
///
/// Errors:  system_error, whose text names the path, such as EADDRINUSE, ENAMETOOLONG (above 107
///          bytes); outside a runtime a misuse, one line.
/// Threads: workers. Processes that replace the same stale file at the same moment may both
///          succeed; the path then leads to the later one.
/// Bounds:  two descriptors, as tcp_listen().
/// Example: `io::listener listener = net::unix_listen("/run/service.socket");`
[[nodiscard]] io::listener unix_listen(const std::string& path,
                                       unix_listen_options options = unix_listen_options{});

/// Connects to the unix socket at `path`; `@name` as for unix_listen().
///
/// While the listener's queue is full it tries again, after 1 ms, then at twice the distance up to
/// 100 ms, by the clock of the runtime.
///
/// Errors: system_error, whose text names the path, such as ENOENT, ECONNREFUSED, EACCES.
/// Cancel: the attempt is given up, and its socket closed.
[[nodiscard]] task<io::stream> unix_connect(std::string path);

/// Makes two streams that are each other's peers, as unix sockets without an address.
///
/// Errors:  system_error when the system is out of descriptors; outside a runtime a misuse.
/// Example: `auto [near, far] = net::stream_pair();`
[[nodiscard]] std::pair<io::stream, io::stream> stream_pair();

/// The process at the other end of a unix stream, as it was when the connection was made.
struct peer_credentials {
  pid_t process;
  uid_t user;
  gid_t group;
};

/// Returns: who is at the other end of a unix stream.
/// Errors:  not_supported for every other stream.
[[nodiscard]] result<peer_credentials> credentials_of_peer(const io::stream& peer);

}  // namespace troupe::inline v0_1::net
