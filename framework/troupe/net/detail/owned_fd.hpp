#pragma once

#include <cerrno>
#include <utility>

#include <unistd.h>

#include <troupe/base/result.hpp>

namespace troupe::inline v0_1::net::detail {

/// A descriptor until it is handed on.
class owned_fd {
public:
  owned_fd() noexcept = default;
  explicit owned_fd(int fd) noexcept : fd_{fd} {}
  owned_fd(owned_fd&& other) noexcept : fd_{other.release()} {}
  owned_fd& operator=(owned_fd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~owned_fd() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  void reset(int fd = -1) noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

private:
  int fd_ = -1;
};

/// Returns: `number`, or what the system's last call has left, as an error_code.
[[nodiscard]] inline boost::system::error_code last_error(int number = errno) noexcept {
  return {number, boost::system::system_category()};
}

}  // namespace troupe::inline v0_1::net::detail
