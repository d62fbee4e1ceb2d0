#include <troupe/caf/detail/stall_watch.hpp>

#include <chrono>
#include <utility>

#include <troupe/base/log.hpp>

namespace troupe::inline v0_1::detail {

namespace {

constexpr std::chrono::seconds between_looks{1};

}  // namespace

stall_watch::stall_watch(std::function<std::optional<std::uint64_t>()> turns)
    : turns_{std::move(turns)}, thread_{[this] { look(); }} {}

stall_watch::~stall_watch() {
  {
    pal::lock guard{mutex_};
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void stall_watch::begin() noexcept {
  pal::lock guard{mutex_};
  armed_.store(true, std::memory_order_relaxed);
  changed_.notify_all();
}

void stall_watch::look() {
  pal::set_thread_name("troupe-caf-wat");
  pal::lock guard{mutex_};
  for (;;) {
    changed_.wait(guard, [this] { return stopping_ || armed_.load(std::memory_order_relaxed); });
    if (stopping_) return;
    look_until_over(guard);
    armed_.store(false, std::memory_order_relaxed);
  }
}

void stall_watch::look_until_over(pal::lock& guard) {
  std::optional<std::uint64_t> before = turns_();
  for (bool is_told = false; before && !stopping_;) {
    changed_.wait_for(guard, between_looks, [this] { return stopping_; });
    std::optional<std::uint64_t> now = turns_();
    if (stopping_ || now != before) return;
    if (!std::exchange(is_told, true)) {
      log(log_level::warning,
          "CAF actors have waited for a second while each worker was held by one turn: a "
          "scoped_actor that waits holds its worker; use it in spawn_blocking()");
    }
  }
}

}  // namespace troupe::inline v0_1::detail
