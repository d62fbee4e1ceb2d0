#include <troupe/runtime/detail/signals.hpp>

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <stdexcept>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/mutex.hpp>

namespace troupe::inline v0_1::detail {

namespace {

constexpr std::size_t max_listeners = 16;

std::array<pal::atomic<int>, max_listeners> listeners{};  // Descriptor + 1; 0 is free.
pal::atomic<int> seen_count{0};
pal::atomic<bool> dump_asked{false};

std::size_t listener_count = 0;

pal::mutex& setup_mutex() noexcept {
  static pal::mutex made;
  return made;
}

void tell_listeners() noexcept {
  for (auto& listener : listeners) {
    std::uint64_t one = 1;
    int descriptor = listener.load() - 1;
    // A full event descriptor has been told already.
    if (descriptor >= 0 && ::write(descriptor, &one, sizeof one) < 0) continue;
  }
}

void handle_dump(int) noexcept {
  dump_asked.store(true);
  tell_listeners();
}

void handle(int) noexcept {
  if (seen_count.fetch_add(1) > 0) {
    constexpr char text[] = "troupe: second stop signal: ending at once\n";
    if (::write(STDERR_FILENO, text, sizeof text - 1) < 0) ::_exit(131);
    ::_exit(130);
  }
  tell_listeners();
}

}  // namespace

// Entered before the hooks are made: a signal that they catch is told.
stop_signals::place::place(int event_fd) : index{0} {
  pal::lock guard{setup_mutex()};
  while (index < max_listeners && listeners[index].load() != 0) ++index;
  if (index == max_listeners) throw std::runtime_error{"more than 16 runs handle signals at once"};
  if (listener_count++ == 0) seen_count.store(0);
  listeners[index].store(event_fd + 1);
}

stop_signals::place::~place() {
  pal::lock guard{setup_mutex()};
  listeners[index].store(0);
  --listener_count;
}

stop_signals::stop_signals(int event_fd)
    : place_{event_fd}, interrupt_{SIGINT, &handle}, terminate_{SIGTERM, &handle} {
  if (pal::is_unclaimed(SIGUSR1)) dump_.emplace(SIGUSR1, &handle_dump);
}

bool take_dump_signal() noexcept { return dump_asked.exchange(false); }

int stop_signal_count() noexcept { return seen_count.load(); }

}  // namespace troupe::inline v0_1::detail
