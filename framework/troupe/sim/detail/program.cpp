#include <troupe/sim/detail/program.hpp>

#include <algorithm>
#include <source_location>

#include <troupe/actor/all_actors.hpp>
#include <troupe/base/log.hpp>
#include <troupe/observe/snapshot.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/task/start.hpp>

namespace troupe::inline v0_1::sim::detail {

program::program(scheduler& where, const std::function<task<int>()>& main) : where_{where} {
  troupe::detail::start_on(where_, this, std::source_location::current(), main());
}

program::~program() {
  if (main_ != nullptr) main_->destroy();
}

void program::on_child_end(troupe::detail::task_core& main) noexcept {
  code_ = troupe::detail::exit_code_of(main);
  main.destroy();
  main_ = nullptr;
}

void program::stop(duration budget) {
  if (phase_ != phase::running) return;
  phase_ = phase::stopping_main;
  deadline_ = where_.clock().now() + budget;
  until_ = deadline_ - budget / 5;
  where_.io().stop_intake();
  if (main_ != nullptr) main_->request_stop_on(where_);
}

void program::stop_rest() noexcept {
  phase_ = phase::stopping_all;
  until_ = deadline_;
  troupe::detail::task_core::stop_all_of(where_);
  (void)stop_all_actors(where_);
}

std::optional<int> program::look_up() {
  bool is_late = until_ && where_.clock().now() >= *until_;
  std::optional<std::size_t> live = where_.tasks_if_quiescent();
  if (phase_ == phase::stopping_main && main_ == nullptr && !is_late) {
    phase_ = phase::stopping_actors;
    if (stop_all_actors(where_) > 0) return std::nullopt;
  }
  if (live == std::size_t{0}) {
    // Actors that are only idle are stopped when all tasks have ended.
    if (stop_all_actors(where_) > 0) return std::nullopt;
    return code_;
  }
  if (!live && !is_late) return std::nullopt;
  if (phase_ == phase::running || phase_ == phase::stopping_all) return end_stuck();
  stop_rest();
  return std::nullopt;
}

int program::end_stuck() const {
  bool is_stop = phase_ != phase::running;
  log(log_level::error, is_stop ? "tasks survived the stop:"
                                : "the program is stuck: nothing can wake the tasks that are left");
  for (const auto& report : survivors_of(where_)) log(log_level::error, "  " + to_string(report));
  return 1;
}

}  // namespace troupe::inline v0_1::sim::detail
