#include <troupe/task/failure.hpp>

#include <utility>

#include <fmt/format.h>

#include <troupe/base/assert.hpp>
#include <troupe/base/log.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/task/context.hpp>
#include <troupe/task/core.hpp>
#include <troupe/task/stop.hpp>

namespace troupe::inline v0_1 {

namespace {

void write_to_log(const failure& seen) {
  const std::source_location& at = seen.spawned_at;
  std::string who = seen.actor.empty()
                        ? fmt::format("a task spawned at {}:{}", at.file_name(), at.line())
                        : "actor " + seen.actor;
  log(log_level::error, fmt::format("{} ended with an exception: {}", who, describe(seen.error)));
}

pal::atomic<failure_sink> sink_in_force{&write_to_log};

thread_local bool is_mute = false;

// A handler's task was spawned at no line: its actor is told of by its own layer.
void tell_task(std::string& text) {
  detail::context* here = detail::current_context();
  if (here == nullptr || here->current == nullptr) return;
  std::source_location spawned_at = here->current->spawned_at();
  if (spawned_at.line() == 0) return;
  text += " (in the task spawned at ";
  detail::append_place(text, spawned_at);
  text += ')';
}

const detail::turn_teller task_teller{&tell_task};

}  // namespace

failure_sink set_failure_sink(failure_sink sink) noexcept {
  return sink_in_force.exchange(sink == nullptr ? &write_to_log : sink);
}

void report_failure(const failure& seen) noexcept {
  if (!is_mute) sink_in_force.load()(seen);
}

detail::no_last_words::no_last_words() noexcept : before_{std::exchange(is_mute, true)} {}

detail::no_last_words::~no_last_words() { is_mute = before_; }

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
