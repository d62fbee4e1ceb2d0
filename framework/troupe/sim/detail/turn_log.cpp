#include <troupe/sim/detail/turn_log.hpp>

#include <fmt/format.h>

#include <troupe/actor/all_actors.hpp>

namespace troupe::inline v0_1::sim::detail {

namespace {

std::string_view text_of(const char* name) noexcept { return name == nullptr ? "" : name; }

// The file alone: a build elsewhere has the same history.
std::string_view file_of(std::source_location where) noexcept {
  std::string_view path = text_of(where.file_name());
  return path.substr(path.rfind('/') + 1);
}

template <class Map, class Key>
std::uint64_t number_of(Map& numbers, const Key& key, std::uint64_t& last) {
  auto [place, is_new] = numbers.try_emplace(key, last + 1);
  if (is_new) ++last;
  return place->second;
}

}  // namespace

void turn_log::before_turn(job& next) noexcept {
  troupe::detail::context& here = *troupe::detail::current_context();
  end_turn(here.handles);
  here.handles = nullptr;
  turn_ = look_at(next);
}

turn_log::turn turn_log::look_at(job& next) {
  turn seen;
  if (troupe::detail::task_core* task = troupe::detail::task_core::of(next)) {
    seen.what = kind::task;
    seen.task = task;
    seen.number = number_of(tasks_, task, last_number_);
    auto record = task->look();
    seen.name = text_of(record.handles);
    seen.spawned_at = record.spawned_at;
    if (history_.keeps_lines() && record.works_for != nullptr) {
      seen.own_name = name_of_actor(*record.works_for);
    }
  } else if (auto actor = turn_of_actor(next)) {
    seen.what = kind::actor;
    seen.number = number_of(actors_, actor->id, last_number_);
    seen.name = text_of(actor->class_name);
    if (history_.keeps_lines()) seen.own_name = name_of_actor(*actor->block);
  } else {
    seen.what = kind::other;
  }
  return seen;
}

void turn_log::end_turn(const char* handled) {
  if (turn_.what == kind::none) return;
  history_.begin_step();
  history_.mix(node_number_);
  history_.mix(static_cast<std::uint64_t>(clock_.now().time_since_epoch().count()));
  history_.mix(static_cast<std::uint64_t>(turn_.what));
  history_.mix(turn_.number);
  history_.mix(turn_.name);
  history_.mix(file_of(turn_.spawned_at));
  history_.mix(turn_.spawned_at.line());
  history_.mix(text_of(handled));
  if (history_.keeps_lines()) history_.add_line(clock_.now(), node_name_, describe(handled));
  // The next tenant of the cell is another task.
  if (turn_.task != nullptr && (turn_.task->is_free() || turn_.task->done())) {
    tasks_.erase(turn_.task);
  }
  turn_ = turn{};
}

std::string turn_log::describe(const char* handled) const {
  switch (turn_.what) {
    case kind::task:
      if (!turn_.own_name.empty()) {
        return fmt::format("task {} of {}: {}", turn_.number, turn_.own_name,
                           turn_.name.empty() ? "a side task" : turn_.name);
      }
      return fmt::format("task {} of {}:{}", turn_.number, file_of(turn_.spawned_at),
                         turn_.spawned_at.line());
    case kind::actor:
      return fmt::format("actor {} {}: {}", turn_.number, turn_.own_name,
                         handled == nullptr ? "no message" : handled);
    default:
      return "a job of the runtime";
  }
}

void turn_log::forget_all() noexcept {
  turn_ = turn{};
  tasks_.clear();
  actors_.clear();
}

}  // namespace troupe::inline v0_1::sim::detail
