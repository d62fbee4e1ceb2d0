#include <troupe/net/detail/signal_watch.hpp>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/eventfd.h>

#include <troupe/pal/mutex.hpp>

namespace troupe::inline v0_1::net::detail {

namespace {

constexpr std::size_t end_of_numbers = 65;

// The descriptor is never closed: a handler may be on its way to it at any time.
pal::atomic<int> event_fd{-1};
std::array<pal::atomic<std::uint64_t>, end_of_numbers> counts{};

void count(int number) noexcept {
  counts[static_cast<std::size_t>(number)].fetch_add(1, std::memory_order_release);  // -> try_take
  std::uint64_t one = 1;
  // It can fail only when the counter is full, after 2^64 signals.
  [[maybe_unused]] ssize_t written = ::write(event_fd.load(std::memory_order_relaxed), &one, 8);
}

std::uint64_t count_of(int number) noexcept {
  return counts[static_cast<std::size_t>(number)].load(std::memory_order_acquire);  // <- count
}

owned_fd copy_of_event_fd() {
  static pal::mutex mutex;
  pal::lock guard{mutex};
  if (event_fd.load(std::memory_order_relaxed) < 0) {
    int made = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (made < 0) throw_error(last_error(), "cannot listen to signals");
    event_fd.store(made, std::memory_order_relaxed);
  }
  owned_fd copy{::fcntl(event_fd.load(std::memory_order_relaxed), F_DUPFD_CLOEXEC, 0)};
  if (copy.get() < 0) throw_error(last_error(), "cannot listen to signals");
  return copy;
}

std::vector<std::unique_ptr<pal::signal_hook>> hook_up(std::span<const int> numbers) {
  std::vector<std::unique_ptr<pal::signal_hook>> hooks;
  for (int number : numbers) {
    try {
      hooks.push_back(std::make_unique<pal::signal_hook>(number, &count));
    } catch (const std::system_error& error) {
      throw_error(last_error(error.code().value()),
                  "cannot listen to signal " + std::to_string(number));
    }
  }
  return hooks;
}

}  // namespace

signal_watch& signal_watch::make(std::shared_ptr<reactor_core> core, std::span<const int> numbers) {
  return *new signal_watch{std::move(core), copy_of_event_fd(), numbers};
}

// What the hooks catch before epoll has the descriptor is found by the first look: `ready` is set.
signal_watch::signal_watch(std::shared_ptr<reactor_core> of, owned_fd fd,
                           std::span<const int> numbers)
    : watched_fd{std::move(of), fd.get()} {
  for (int number : numbers) {
    auto same = [number](const heard& each) { return each.number == number; };
    if (std::any_of(heard_.begin(), heard_.end(), same)) continue;
    bool is_number = number > 0 && static_cast<std::size_t>(number) < end_of_numbers;
    heard_.push_back({number, is_number ? count_of(number) : 0});
  }
  hooks_ = hook_up(numbers);
  (void)fd.release();
  begin_events();
}

int signal_watch::try_take() noexcept {
  if (!slot_.take_ready()) return 0;
  for (std::size_t i = 0; i < heard_.size(); ++i) {
    std::size_t at = (first_ + i) % heard_.size();
    std::uint64_t present = count_of(heard_[at].number);
    if (present == heard_[at].seen) continue;
    heard_[at].seen = present;
    first_ = at + 1;
    slot_.put_back();
    return heard_[at].number;
  }
  return 0;
}

void signal_watch::close() noexcept {
  hooks_.clear();
  release();
}

}  // namespace troupe::inline v0_1::net::detail
