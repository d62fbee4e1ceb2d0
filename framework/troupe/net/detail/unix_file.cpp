#include <troupe/net/detail/unix_file.hpp>

#include <cerrno>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <troupe/net/detail/address.hpp>
#include <troupe/net/detail/owned_fd.hpp>

namespace troupe::inline v0_1::net::detail {

unix_file::unix_file(std::string path) noexcept : path_{std::move(path)} {
  struct stat seen{};
  if (::lstat(path_.c_str(), &seen) != 0) {
    path_.clear();
    return;
  }
  device_ = seen.st_dev;
  number_ = seen.st_ino;
}

void unix_file::remove() noexcept {
  if (path_.empty()) return;
  struct stat seen{};
  bool is_ours = ::lstat(path_.c_str(), &seen) == 0 && seen.st_dev == device_ &&
                 seen.st_ino == number_ && S_ISSOCK(seen.st_mode);
  if (is_ours) ::unlink(path_.c_str());
  path_.clear();
}

bool remove_stale_socket(const std::string& path) noexcept {
  struct stat seen{};
  if (::lstat(path.c_str(), &seen) != 0) return errno == ENOENT;
  if (!S_ISSOCK(seen.st_mode)) return false;
  result<socket_address> address = unix_address(path);
  if (address.has_error()) return false;
  // A datagram socket that lives says that this one is of the wrong type, not that it refuses.
  owned_fd probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (probe.get() < 0) return false;
  if (::connect(probe.get(), address->data(), address->size_bytes) == 0) return false;
  if (errno != ECONNREFUSED) return false;
  return ::unlink(path.c_str()) == 0 || errno == ENOENT;
}

}  // namespace troupe::inline v0_1::net::detail
