#include <troupe/task/failure.hpp>

#include <fmt/format.h>

#include <troupe/base/log.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/task/stop.hpp>

namespace troupe::inline v0_1 {

namespace {

void write_to_log(std::exception_ptr error, std::source_location spawned_at) {
  log(log_level::error, fmt::format("a task spawned at {}:{} ended with an exception: {}",
                                    spawned_at.file_name(), spawned_at.line(), describe(error)));
}

pal::atomic<failure_sink> sink_in_force{&write_to_log};

}  // namespace

failure_sink set_failure_sink(failure_sink sink) noexcept {
  return sink_in_force.exchange(sink == nullptr ? &write_to_log : sink);
}

void report_failure(std::exception_ptr error, std::source_location spawned_at) noexcept {
  sink_in_force.load()(std::move(error), spawned_at);
}

std::string describe(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& known) {
    return known.what();
  } catch (const canceled&) {
    return "canceled by a stop request";
  } catch (...) {
    return "an object that is no std::exception";
  }
}

}  // namespace troupe::inline v0_1
