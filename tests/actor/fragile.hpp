#pragma once

#include <functional>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <troupe/actor/supervisor.hpp>
#include <troupe/base/log.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/task/yield.hpp>

namespace troupe::test {

struct crash {};
struct crash_later {};
struct fail_next_birth {};
struct ping {};

/// What is left of all lives; outlives them.
struct counts {
  pal::atomic<int> births{0};  // Tried, also those that failed.
  pal::atomic<int> alive{0};
  pal::atomic<int> births_to_fail{0};
};

/// Crashes in the way that it is told to.
class fragile : public actor {
public:
  explicit fragile(counts& c) : counts_{&c} {
    c.births.fetch_add(1);
    int left = c.births_to_fail.load();
    while (left > 0 && !c.births_to_fail.compare_exchange_weak(left, left - 1)) {
    }
    if (left > 0) throw std::runtime_error{"born dead"};
    c.alive.fetch_add(1);
  }
  ~fragile() { counts_->alive.fetch_sub(1); }

  int on(ping) { return 1; }
  int on(crash) { throw std::runtime_error{"crashed"}; }
  task<int> on(crash_later) {
    co_await yield();
    throw std::runtime_error{"crashed later"};
  }
  int on(fail_next_birth) {
    counts_->births_to_fail.fetch_add(1);
    throw std::runtime_error{"crashed, and will again"};
  }

private:
  counts* counts_;
};

/// Logs nothing while it lives.
struct silence {
  silence() : former{set_log_sink([](log_level, std::string_view) {})} {}
  ~silence() { set_log_sink(former); }
  log_sink former;
};

inline std::vector<ref<fragile>> children_of(const ref<supervisor>& root, counts& c, int count) {
  std::vector<ref<fragile>> all;
  for (int i = 0; i < count; ++i) all.push_back(spawn_child<fragile>(root, std::ref(c)));
  return all;
}

}  // namespace troupe::test
