#include <troupe/observe/stall_watch.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include <troupe/base/log.hpp>
#include <troupe/observe/snapshot.hpp>

namespace troupe::inline v0_1 {

namespace {

constexpr std::size_t max_calls_told = 4;

// Of the system, or of this library itself.
bool is_foreign(const stack_frame& call) {
  std::string_view file = call.file;
  auto is_in = [file](std::string_view folder) { return file.find(folder) != file.npos; };
  return file.empty() || file.starts_with("/usr/") || is_in("framework/troupe/") ||
         is_in("include/troupe/") || is_in("/sysdeps/") || is_in("nptl/");
}

}  // namespace

std::string first_own_calls(const std::vector<stack_frame>& calls) {
  std::string text;
  std::size_t told = 0;
  for (const stack_frame& call : calls) {
    if (is_foreign(call)) continue;
    if (told == max_calls_told) break;
    text += fmt::format("{}{}:{}", told == 0 ? "" : ", called from ", call.file, call.line);
    if (told == 0 && !call.function.empty()) text += " in " + call.function;
    ++told;
  }
  return text;
}

stall_watch::stall_watch(scheduler& of, settings how)
    : of_{of}, how_{how}, sights_(of.worker_count()) {
  if (how.with_stack) stacks_.emplace();
  thread_ = pal::thread{[this] { run(); }};
}

stall_watch::~stall_watch() {
  ended_.store(true, std::memory_order_release);  // -> run
  of_.end_watch();
  parker_.unpark();
  thread_.join();
}

void stall_watch::run() {
  pal::set_thread_name("troupe-watch");
  while (!ended_.load(std::memory_order_acquire)) {  // <- the destructor
    of_.wait_while_idle();
    time_point now = pal::real_clock().now();
    for (std::size_t i = 0; i < sights_.size(); ++i) look(i, now);
    parker_.park(now + how_.threshold / 2);
  }
}

void stall_watch::look(std::size_t index, time_point now) {
  sight& before = sights_[index];
  worker_sight seen = of_.look_at(index);
  if (!seen.in_turn || seen.turns != before.turns || before.since == time_point{}) {
    before = {seen.turns, seen.in_turn ? now : time_point{}, how_.threshold};
    return;
  }
  duration lasted = now - before.since;
  if (lasted < before.next_report) return;
  before.next_report = lasted * 10;
  if (last_line_ != time_point{} && now - last_line_ < std::chrono::seconds{1}) {
    ++left_out_;
    return;
  }
  last_line_ = now;
  report(index, seen, lasted);
}

void stall_watch::report(std::size_t index, const worker_sight& seen, duration lasted) {
  std::string text = fmt::format(
      "worker {} is held up for {} ms and more, {}", index,
      std::chrono::duration_cast<std::chrono::milliseconds>(lasted).count(), to_string(seen));
  if (stacks_) {
    std::string where = first_own_calls(stacks_->look(seen.thread));
    bool is_still_there = of_.look_at(index).turns == seen.turns;
    if (!where.empty() && is_still_there) text += ", at " + where;
  }
  if (left_out_ > 0) text += fmt::format(" ({} more were not told of)", left_out_);
  left_out_ = 0;
  log(log_level::warning, text);
}

}  // namespace troupe::inline v0_1
