#include <troupe/net/detail/poller.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <span>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <troupe/base/assert.hpp>
#include <troupe/base/result.hpp>
#include <troupe/net/detail/watched_fd.hpp>

namespace troupe::inline v0_1::net::detail {

namespace {

int checked(int fd) {
  if (fd < 0) throw_error({errno, boost::system::system_category()});
  return fd;
}

duration time_left(time_point until) noexcept {
  if (until == time_point::min()) return duration::zero();
  return std::max(until - pal::real_clock().now(), duration::zero());
}

// epoll_pwait2 is exact, but Linux 5.10 and some sandboxes do not have it: those round up to
// milliseconds.
int wait_for_events(int epoll_fd, std::span<epoll_event> events,
                    std::optional<duration> limit) noexcept {
  static pal::atomic<bool> has_pwait2{true};
  int max_count = static_cast<int>(events.size());
  if (has_pwait2.load(std::memory_order_relaxed)) {
    timespec exact{};
    if (limit) {
      auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*limit);
      exact.tv_sec = static_cast<time_t>(seconds.count());
      exact.tv_nsec = static_cast<long>((*limit - seconds).count());
    }
    int count =
        ::epoll_pwait2(epoll_fd, events.data(), max_count, limit ? &exact : nullptr, nullptr);
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    has_pwait2.store(false, std::memory_order_relaxed);
  }
  int rounded = -1;
  if (limit) {
    using std::chrono::milliseconds;
    auto longest = std::min<duration>(*limit, std::chrono::hours{24});
    rounded = static_cast<int>(std::chrono::ceil<milliseconds>(longest).count());
  }
  return ::epoll_wait(epoll_fd, events.data(), max_count, rounded);
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

void poller::remove(int fd) noexcept {
  [[maybe_unused]] int failed = ::epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
}

int poller::fetch(std::optional<time_point> until, std::size_t most) noexcept {
  std::array<epoll_event, max_events> events;
  std::optional<duration> limit;
  if (until) limit = time_left(*until);
  int count = wait_for_events(
      epoll_fd_, std::span{events}.first(std::clamp(most, std::size_t{1}, max_events)), limit);
  TROUPE_ASSERT(count >= 0 || errno == EINTR);
  int fired = 0;
  for (int i = 0; i < count; ++i) {
    auto& event = events[static_cast<std::size_t>(i)];
    if (event.data.ptr == nullptr) {
      interrupted_ = true;
      continue;
    }
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

}  // namespace troupe::inline v0_1::net::detail
