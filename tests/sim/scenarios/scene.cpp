#include "scene.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <new>

#include <troupe/actor/supervisor.hpp>

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

scene* the_scene = nullptr;

}  // namespace

scene::scene(const sim::world_config& config)
    : turns_take_no_time_{config.max_turn_time == duration::zero()} {
  the_scene = this;
  outer_undelivered_ = set_undelivered_sink([](const undelivered& lost) { the_scene->hear(lost); });
  outer_failure_ = set_failure_sink([](const troupe::failure& seen) { the_scene->hear(seen); });
  outer_log_ =
      set_log_sink([](log_level level, std::string_view text) { the_scene->hear(level, text); });
  world_.emplace(config);
  world_->invariant("what the scenario says", [this] { return !failure_; });
  constexpr std::array<duration, 4> grains{1us, 1us, 1ms, 5ms};
  grain_ = grains[below(grains.size())];
}

scene::~scene() {
  world_.reset();
  kept_.clear();
  set_undelivered_sink(outer_undelivered_);
  set_failure_sink(outer_failure_);
  set_log_sink(outer_log_);
  the_scene = nullptr;
}

scene& scene::current() noexcept { return *the_scene; }

sim::node& scene::add_node(runtime_config config) {
  sim::node& made = world_->add_node(fmt::format("n{}", nodes_.size() + 1), std::move(config));
  nodes_.push_back(&made);
  return made;
}

duration scene::some_time() {
  if (percent(15)) return duration::zero();
  if (percent(3)) return 1s + below(1000) * 1ms;
  return below(static_cast<std::uint64_t>(20ms / grain_)) * grain_;
}

void scene::break_off(sim::node& node) {
  bool is_kill = percent(50);
  world_->after(some_time(), [&node, is_kill] {
    if (!node.is_up()) return;
    is_kill ? node.kill() : node.terminate();
  });
}

void scene::fail(std::string text) {
  if (failure_) return;
  failure_ = fmt::format("{} (step {}, after {:.6f} s)", text, world_ ? world_->steps() : steps_,
                         std::chrono::duration<double>(world_ ? now() : length_).count());
}

void scene::run(duration limit) {
  auto all_are_down = [this] {
    return std::none_of(nodes_.begin(), nodes_.end(), [](auto* each) { return each->is_up(); });
  };
  duration until = now() + limit;
  while (!all_are_down() && now() < until && world_->step()) {
  }
  bool has_ended = all_are_down();
  if (!has_ended) {
    std::string left;
    for (sim::node* each : nodes_) {
      if (each->is_up()) left += each->rt().dump();
    }
    fail(fmt::format("the world does not end: {}", left));
  }
  for (sim::node* each : nodes_) {
    check(each->exit_code().value_or(0) == 0, "the program on {} ends with {}: {}", each->name(),
          each->exit_code().value_or(0), last_error_lines_);
  }
}

void scene::note_history() {
  if (!world_) return;
  hash_ = world_->trace_hash();
  steps_ = world_->steps();
  length_ = world_->now();
  trace_ = world_->trace();
}

void scene::end_world() {
  note_history();
  world_.reset();
  check(alive_ == 0, "{} messages, frames or actors are left when all has ended", alive_);
}

void scene::hear(const undelivered& lost) {
  if (lost.message.find("letter") != std::string_view::npos) ++undelivered_letters_;
}

void scene::hear(const troupe::failure& seen) {
  bool is_expected = false;
  try {
    std::rethrow_exception(seen.error);
  } catch (const planned_crash&) {
    is_expected = true;
  } catch (const restart_limit_error&) {
    is_expected = true;
  } catch (const sim::injected_crash&) {
    is_expected = true;
  } catch (const std::bad_alloc&) {
    is_expected = world_ && world_->failed_allocations() > 0;
  } catch (const system_error&) {
    is_expected = expects_system_errors_;
  } catch (...) {
    // Told below.
  }
  if (is_expected) return;
  fail(fmt::format("nobody awaits the exception of {}:{} {}: {}", seen.spawned_at.file_name(),
                   seen.spawned_at.line(), seen.actor, describe(seen.error)));
}

void scene::hear(log_level level, std::string_view text) {
  if (level != log_level::error) return;
  last_error_lines_ += text;
  last_error_lines_ += "\n";
}

}  // namespace troupe::scenarios
