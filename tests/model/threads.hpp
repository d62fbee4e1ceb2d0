#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include <model/relacy.hpp>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/detail/futex.hpp>

namespace troupe::model {

/// The threads that the code of a scenario starts: the first is the scenario's thread 0, and so on.
class threads {
public:
  threads() { current_ = this; }
  threads(const threads&) = delete;
  threads& operator=(const threads&) = delete;

  /// Those of the scenario that runs.
  static threads& current() { return *current_; }

  /// Returns: the index of the thread, which calls run() with it.
  std::size_t begin(std::function<void()> body) {
    bodies_[count_] = std::move(body);
    return count_++;
  }
  void run(std::size_t index) {
    bodies_[index]();
    ended_[index].store(1, std::memory_order_release);
    pal::detail::futex_wake(ended_[index]);
  }
  void join(std::size_t index) {
    while (ended_[index].load(std::memory_order_acquire) == 0) {
      pal::detail::futex_wait(ended_[index], 0, std::nullopt);
    }
  }

private:
  static inline threads* current_ = nullptr;

  std::size_t count_ = 0;
  std::array<std::function<void()>, 4> bodies_;
  std::array<pal::atomic<std::uint32_t>, 4> ended_{};
};

}  // namespace troupe::model
