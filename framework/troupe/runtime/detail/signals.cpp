#include <troupe/runtime/detail/signals.hpp>

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <stdexcept>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/mutex.hpp>

namespace troupe::detail {

namespace {

constexpr std::size_t max_listeners = 16;
constexpr std::array<int, 2> watched{SIGINT, SIGTERM};

std::array<pal::atomic<int>, max_listeners> listeners{};  // Descriptor + 1; 0 is free.
pal::atomic<int> seen_count{0};
pal::atomic<bool> dump_asked{false};

pal::mutex setup_mutex;
std::size_t listener_count = 0;
std::array<struct sigaction, watched.size()> former{};
bool answers_dumps = false;

void tell_listeners() {
  for (auto& listener : listeners) {
    std::uint64_t one = 1;
    int descriptor = listener.load() - 1;
    // A full event descriptor has been told already.
    if (descriptor >= 0 && ::write(descriptor, &one, sizeof one) < 0) continue;
  }
}

void handle_dump(int) {
  int saved = errno;
  dump_asked.store(true);
  tell_listeners();
  errno = saved;
}

void handle(int) {
  int saved = errno;
  if (seen_count.fetch_add(1) > 0) {
    constexpr char text[] = "troupe: second stop signal: ending at once\n";
    if (::write(STDERR_FILENO, text, sizeof text - 1) < 0) ::_exit(131);
    ::_exit(130);
  }
  tell_listeners();
  errno = saved;
}

}  // namespace

stop_signals::stop_signals(int event_fd) : place_{0} {
  pal::lock guard{setup_mutex};
  while (place_ < max_listeners && listeners[place_].load() != 0) ++place_;
  if (place_ == max_listeners) throw std::runtime_error{"more than 16 runs handle signals at once"};
  listeners[place_].store(event_fd + 1);
  if (listener_count++ > 0) return;
  seen_count.store(0);
  struct sigaction action{};
  action.sa_handler = &handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < watched.size(); ++i) sigaction(watched[i], &action, &former[i]);
  struct sigaction present{};
  sigaction(SIGUSR1, nullptr, &present);
  answers_dumps = (present.sa_flags & SA_SIGINFO) == 0 && present.sa_handler == SIG_DFL;
  action.sa_handler = &handle_dump;
  if (answers_dumps) sigaction(SIGUSR1, &action, nullptr);
}

stop_signals::~stop_signals() {
  pal::lock guard{setup_mutex};
  listeners[place_].store(0);
  if (--listener_count > 0) return;
  for (std::size_t i = 0; i < watched.size(); ++i) sigaction(watched[i], &former[i], nullptr);
  if (answers_dumps) ::signal(SIGUSR1, SIG_DFL);
}

bool take_dump_signal() noexcept { return dump_asked.exchange(false); }

int stop_signal_count() noexcept { return seen_count.load(); }

}  // namespace troupe::detail
