#include <troupe/pal/signal_hook.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <system_error>

#include <troupe/base/assert.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/mutex.hpp>

namespace troupe::inline v0_1::pal {

namespace {

constexpr std::size_t max_acts = 4;
constexpr int end_of_numbers = 65;  // Linux has 1 to 64.

// The acts are read by the handler; all else is guarded by the mutex.
struct entry {
  std::array<pal::atomic<signal_act>, max_acts> acts{};
  std::array<std::size_t, max_acts> uses{};
  std::size_t all_uses = 0;
  struct sigaction former{};
};

std::array<entry, end_of_numbers> entries;

pal::mutex& setup_mutex() noexcept {
  static pal::mutex made;
  return made;
}

void handle(int number) {
  int saved = errno;
  for (auto& act : entries[static_cast<std::size_t>(number)].acts) {
    if (signal_act found = act.load(std::memory_order_acquire)) found(number);  // <- signal_hook
  }
  errno = saved;
}

}  // namespace

signal_hook::signal_hook(int number, signal_act act) : number_{number}, act_{act} {
  if (number <= 0 || number >= end_of_numbers) {
    throw std::system_error{EINVAL, std::generic_category(), "a signal to listen to"};
  }
  pal::lock guard{setup_mutex()};
  entry& found = entries[static_cast<std::size_t>(number)];
  std::size_t place = max_acts;
  for (std::size_t i = max_acts; i-- > 0;) {
    if (found.uses[i] == 0) place = i;
  }
  for (std::size_t i = 0; i < max_acts; ++i) {
    if (found.uses[i] != 0 && found.acts[i].load(std::memory_order_relaxed) == act) place = i;
  }
  TROUPE_ASSERT(place != max_acts);
  found.acts[place].store(act, std::memory_order_release);  // -> handle
  if (found.all_uses == 0) {
    struct sigaction action{};
    action.sa_handler = &handle;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    if (::sigaction(number, &action, &found.former) != 0) {
      int error = errno;
      found.acts[place].store(nullptr, std::memory_order_relaxed);
      throw std::system_error{error, std::generic_category(), "a signal to listen to"};
    }
  }
  ++found.uses[place];
  ++found.all_uses;
}

signal_hook::~signal_hook() {
  pal::lock guard{setup_mutex()};
  entry& found = entries[static_cast<std::size_t>(number_)];
  for (std::size_t i = 0; i < max_acts; ++i) {
    if (found.uses[i] == 0 || found.acts[i].load(std::memory_order_relaxed) != act_) continue;
    if (--found.all_uses == 0) ::sigaction(number_, &found.former, nullptr);
    if (--found.uses[i] == 0) found.acts[i].store(nullptr, std::memory_order_relaxed);
    return;
  }
}

bool is_unclaimed(int number) noexcept {
  pal::lock guard{setup_mutex()};
  const entry& found = entries[static_cast<std::size_t>(number)];
  struct sigaction present = found.former;
  if (found.all_uses == 0) ::sigaction(number, nullptr, &present);
  return (present.sa_flags & SA_SIGINFO) == 0 && present.sa_handler == SIG_DFL;
}

}  // namespace troupe::inline v0_1::pal
