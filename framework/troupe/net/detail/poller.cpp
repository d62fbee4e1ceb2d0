#include <troupe/net/detail/poller.hpp>

#include <array>
#include <cerrno>
#include <ctime>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <troupe/base/assert.hpp>
#include <troupe/base/result.hpp>
#include <troupe/net/detail/watched_fd.hpp>

namespace troupe::net::detail {

namespace {

int checked(int fd) {
  if (fd < 0) throw_error({errno, boost::system::system_category()});
  return fd;
}

timespec time_left(time_point until) noexcept {
  if (until == time_point::min()) return {0, 0};
  auto left = until - pal::real_clock().now();
  if (left <= duration::zero()) return {0, 0};
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((left - seconds).count())};
}

}  // namespace

poller::poller() : epoll_fd_{checked(::epoll_create1(EPOLL_CLOEXEC))}, event_fd_{-1} {
  event_fd_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  epoll_event interrupts{};
  interrupts.events = EPOLLIN | EPOLLET;  // Each write is an edge: nobody has to read it.
  interrupts.data.ptr = nullptr;
  if (event_fd_ < 0 || ::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, event_fd_, &interrupts) != 0) {
    int error = errno;
    if (event_fd_ >= 0) ::close(event_fd_);
    ::close(epoll_fd_);
    throw_error({error, boost::system::system_category()});
  }
}

poller::~poller() {
  ::close(event_fd_);
  ::close(epoll_fd_);
}

void poller::add(int fd, watched_fd& owner) {
  epoll_event wanted{};
  wanted.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  wanted.data.ptr = &owner;
  checked(::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &wanted));
}

int poller::wait(std::optional<time_point> until) noexcept {
  std::array<epoll_event, 256> events;
  timespec limit{};
  if (until) limit = time_left(*until);
  int count = ::epoll_pwait2(epoll_fd_, events.data(), static_cast<int>(events.size()),
                             until ? &limit : nullptr, nullptr);
  TROUPE_ASSERT(count >= 0 || errno == EINTR);
  int fired = 0;
  for (int i = 0; i < count; ++i) {
    auto& event = events[static_cast<std::size_t>(i)];
    if (event.data.ptr == nullptr) continue;  // An interrupt.
    static_cast<watched_fd*>(event.data.ptr)->on_event(event.events);
    ++fired;
  }
  return fired;
}

void poller::interrupt() noexcept {
  std::uint64_t one = 1;
  // It can fail only when the counter is full, after 2^64 interrupts.
  TROUPE_ASSERT(::write(event_fd_, &one, sizeof one) == sizeof one);
}

}  // namespace troupe::net::detail
