#include "complaints.hpp"

#include <chrono>
#include <cstdio>
#include <utility>

#include <fmt/core.h>

#include <troupe/sched/sleep.hpp>

namespace service {

namespace {

struct rule {
  std::string_view name;
  std::uint64_t max_per_second;
};

constexpr std::array<rule, static_cast<std::size_t>(trouble::count_)> rules{{
    {"accepting", 1},
    {"too many connections", 1},
    {"too long lines", 10},
    {"garbage", 10},
    {"silent peers", 10},
    {"slow peers", 10},
    {"connection errors", 10},
    {"connecting", 1},
    {"wrong answers", 10},
    {"rtt", 1},
    {"TLS handshakes", 10},
}};

}  // namespace

complaints::~complaints() {
  for (std::size_t kind = 0; kind < rules.size(); ++kind) {
    if (auto count = records_[kind].untold_count; count != 0) {
      fmt::print(stderr, "service: ({}: {} more lines like these)\n", rules[kind].name, count);
    }
  }
}

void complaints::say(trouble about, std::string_view text) {
  troupe::time_point now = troupe::now();
  std::uint64_t untold_count = 0;
  {
    std::scoped_lock lock{mutex_};
    record& here = records_[static_cast<std::size_t>(about)];
    if (now - here.second_began >= std::chrono::seconds{1}) {
      here.second_began = now;
      here.said_count = 0;
    }
    if (++here.said_count > rules[static_cast<std::size_t>(about)].max_per_second) {
      ++here.untold_count;
      return;
    }
    untold_count = std::exchange(here.untold_count, 0);
  }
  // One call, so that lines of several workers do not mix.
  if (untold_count == 0) {
    fmt::print(stderr, "service: {}\n", text);
  } else {
    fmt::print(stderr, "service: {} (and {} more lines like this)\n", text, untold_count);
  }
}

}  // namespace service
