#include <troupe/net/detail/watched_fd.hpp>

#include <unistd.h>

namespace troupe::net::detail {

watched_fd::watched_fd(std::shared_ptr<reactor_core> core, int fd)
    : core_{std::move(core)}, fd_{fd} {
  try {
    descriptor_.emplace(core_->context().get_executor());
    descriptor_->assign(fd);
  } catch (...) {
    ::close(fd);
    throw;
  }
  descriptor_->non_blocking(true);
}

watched_fd::~watched_fd() = default;

bool watched_fd::enlist(wait_slot& slot, wait_type what, waker key) noexcept {
  wait_slot::enlisted now = slot.enlist(key);
  if (now.must_arm) descriptor_->async_wait(what, firing{*this, slot});
  return now.waits;
}

void watched_fd::release() noexcept {
  descriptor_.reset();  // Waits that are armed fire soon, with nobody to wake.
  // Perhaps the end of the io_context, which then destroys those waits, but not this object yet.
  core_.reset();
  drop();
}

}  // namespace troupe::net::detail
