#include <troupe/net/detail/reactor_core.hpp>

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include <troupe/base/result.hpp>
#include <troupe/net/detail/watched_fd.hpp>

namespace troupe::inline v0_1::net::detail {

reactor_core::~reactor_core() {
  free_retired();
  if (events_fd_ >= 0) ::close(events_fd_);
}

boost::asio::io_context& reactor_core::context() {
  if (context_in_use()) return context_;
  pal::lock guard{mutex_};
  if (!context_in_use()) {
    // Here, where a failure has somebody to be told.
    events_fd_ = ::fcntl(events_.fd(), F_DUPFD_CLOEXEC, 0);
    if (events_fd_ < 0) throw_error({errno, boost::system::system_category()});
    context_in_use_.store(true, std::memory_order_release);  // -> context_in_use
    events_.interrupt();  // Whoever waits for our events alone shall wait for Asio's too.
  }
  return context_;
}

void reactor_core::retire(watched_fd& released) noexcept {
  watched_fd* seen = retired_.load(std::memory_order_relaxed);
  do {
    released.next_retired_ = seen;
  } while (!retired_.compare_exchange_weak(seen, &released, std::memory_order_release,  // -> free
                                           std::memory_order_relaxed));
}

void reactor_core::free_retired() noexcept {
  if (retired_.load(std::memory_order_relaxed) == nullptr) return;
  watched_fd* first = retired_.exchange(nullptr, std::memory_order_acquire);  // <- retire
  while (first != nullptr) {
    watched_fd* next = first->next_retired_;
    delete first;
    first = next;
  }
}

}  // namespace troupe::inline v0_1::net::detail
