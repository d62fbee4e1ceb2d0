#include <troupe/actor/undelivered.hpp>

#include <fmt/format.h>

#include <troupe/base/log.hpp>
#include <troupe/pal/atomic.hpp>

namespace troupe::inline v0_1 {

namespace {

void log_it(const undelivered& lost) {
  log(log_level::warning,
      fmt::format("undelivered: {}: {}", lost.message, make_error_code(lost.reason).message()));
}

pal::atomic<undelivered_sink> current_sink{&log_it};

}  // namespace

undelivered_sink set_undelivered_sink(undelivered_sink sink) noexcept {
  return current_sink.exchange(sink == nullptr ? &log_it : sink);
}

void report_undelivered(const undelivered& lost) noexcept { current_sink.load()(lost); }

}  // namespace troupe::inline v0_1
