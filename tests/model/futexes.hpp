#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <source_location>

#include <model/relacy.hpp>
#include <model/sites.hpp>

namespace troupe::model {

/// Who sleeps on which word in a scenario. As with the system's, a wake orders nothing but the
/// sleeper's going on; and a sleep may end for no reason, some times in a schedule.
class futexes {
public:
  static constexpr std::size_t max_threads = 4;
  enum class end : std::uint8_t { woken, timed_out };

  futexes() { current_ = this; }
  futexes(const futexes&) = delete;
  futexes& operator=(const futexes&) = delete;

  /// Those of the scenario that runs.
  static futexes& current() { return *current_; }

  /// Requires: the word has been compared, and no other thread has gone on since.
  end wait(const void* word, bool is_timed, const std::source_location& where) {
    rl::context& c = rl::ctx();
    const void*& mine = words_[static_cast<std::size_t>(c.current_thread())];
    mine = word;
    bool may_end_early = early_ends_left_ > 0;
    auto reason = c.park_current_thread(is_timed, may_end_early, false, info_of(where));
    mine = nullptr;
    if (reason == rl::unpark_reason_spurious) --early_ends_left_;
    return reason == rl::unpark_reason_timeout ? end::timed_out : end::woken;
  }

  void wake_one(const void* word, const std::source_location& where) {
    rl::context& c = rl::ctx();
    c.sched();
    for (std::size_t i = 0; i < words_.size(); ++i) {
      if (words_[i] != word) continue;
      words_[i] = nullptr;
      return c.unpark_thread(static_cast<rl::thread_id_t>(i), false, info_of(where));
    }
  }

private:
  static inline futexes* current_ = nullptr;

  std::array<const void*, max_threads> words_{};
  int early_ends_left_ = 2;
};

}  // namespace troupe::model
