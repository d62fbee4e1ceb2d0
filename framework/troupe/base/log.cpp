#include <troupe/base/log.hpp>

#include <atomic>
#include <cstdio>

namespace troupe::inline v0_1 {

namespace {

void write_to_stderr(log_level level, std::string_view text) {
  if (level < log_level::warning) return;
  // One call, so that lines of several threads do not mix.
  std::fprintf(stderr, "troupe: %.*s\n", static_cast<int>(text.size()), text.data());
}

std::atomic<log_sink> sink_in_force{&write_to_stderr};

}  // namespace

log_sink set_log_sink(log_sink sink) noexcept {
  return sink_in_force.exchange(sink == nullptr ? &write_to_stderr : sink);
}

void log(log_level level, std::string_view text) { sink_in_force.load()(level, text); }

}  // namespace troupe::inline v0_1
