#pragma once

#include <array>
#include <cstddef>

#include <model/relacy.hpp>

#include <troupe/pal/atomic.hpp>

namespace troupe::model {

/// What a scenario's pair of asymmetric barriers is made of.
///
/// Each thread has a word. The light barrier is a locked operation on the thread's own; the heavy
/// one is a locked operation on each thread's in turn, as membarrier(2) makes each thread run a
/// full barrier at some moment of the call. So a light one is ordered with heavy ones only.
class barriers {
public:
  static constexpr std::size_t max_threads = 4;

  barriers() { current_ = this; }
  barriers(const barriers&) = delete;
  barriers& operator=(const barriers&) = delete;

  /// Those of the scenario that runs.
  static barriers& current() { return *current_; }

  void light() noexcept {
    words_[static_cast<std::size_t>(rl::ctx().current_thread())].fetch_add(1);
  }
  void heavy() noexcept {
    auto count = static_cast<std::size_t>(rl::ctx().get_thread_count());
    for (std::size_t i = 0; i < count; ++i) {
      words_[i].fetch_add(1);
    }
  }

private:
  static inline barriers* current_ = nullptr;

  std::array<pal::atomic<unsigned>, max_threads> words_;
};

}  // namespace troupe::model
