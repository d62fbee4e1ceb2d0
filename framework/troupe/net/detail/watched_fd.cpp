#include <troupe/net/detail/watched_fd.hpp>

#include <unistd.h>

#include <utility>

namespace troupe::inline v0_1::net::detail {

watched_fd::watched_fd(std::shared_ptr<reactor_core> core, int fd)
    : core_{std::move(core)}, fd_{fd} {}

void watched_fd::begin_events() {
  try {
    core_->events().add(fd_, *this);
  } catch (...) {
    ::close(std::exchange(fd_, -1));
    throw;
  }
}

void watched_fd::close_fd() noexcept {
  if (fd_ < 0) return;
  core_->events().remove(fd_);
  ::close(std::exchange(fd_, -1));
}

void watched_fd::release() noexcept {
  close_fd();
  // If this was the last one to keep the core, its end frees this object too.
  std::shared_ptr<reactor_core> core = std::move(core_);
  core->retire(*this);
}

}  // namespace troupe::inline v0_1::net::detail
