#include <troupe/sim/world.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <troupe/actor/all_actors.hpp>
#include <troupe/base/assert.hpp>
#include <troupe/sim/detail/agenda.hpp>
#include <troupe/sim/detail/allocation_faults.hpp>
#include <troupe/sim/detail/history.hpp>
#include <troupe/task/slab.hpp>

namespace troupe::inline v0_1::sim {

namespace {

// One sequence for each purpose: a number more of one kind changes nothing of the others.
std::uint64_t stream(std::uint64_t seed, std::uint64_t purpose) noexcept {
  return pal::random{seed * 0x9e3779b97f4a7c15U + purpose}.next();
}

}  // namespace

world::world(world_config config)
    : config_{config},
      agenda_{std::make_unique<detail::agenda>(stream(config.seed, 1))},
      history_{std::make_unique<detail::history>(config.keeps_trace)},
      faults_{std::make_unique<detail::allocation_faults>(stream(config.seed, 5))},
      network_{*agenda_},
      order_{stream(config.seed, 2)},
      numbers_{stream(config.seed, 3)},
      node_seeds_{stream(config.seed, 4)},
      fault_numbers_{stream(config.seed, 6)} {
  troupe::detail::slab<troupe::detail::task_core>::instance().put_in_order();
  put_actors_in_order();
  agenda_->on_note([this](std::string_view text) {
    history_->mix(static_cast<std::uint64_t>(agenda_->now().time_since_epoch().count()));
    history_->mix(text);
    if (history_->keeps_lines()) history_->add_line(agenda_->now(), "-", text);
  });
}

world::~world() = default;

node& world::add_node(std::string name, runtime_config config) {
  const host& where = network_.add_host(name);
  return add_node(std::move(name), where, std::move(config));
}

node& world::add_node(std::string name, const host& where, runtime_config config) {
  nodes_.push_back(std::unique_ptr<node>{
      new node{*this, where, nodes_.size() + 1, std::move(name), std::move(config)}});
  nodes_.back()->boot();
  return *nodes_.back();
}

duration world::now() const noexcept { return agenda_->now().time_since_epoch(); }

std::uint64_t world::steps() const noexcept { return history_->steps(); }

std::uint64_t world::trace_hash() const noexcept { return history_->hash(); }

const std::vector<std::string>& world::trace() const noexcept { return history_->lines(); }

void world::after(duration delay, std::function<void()> act) {
  agenda_->after(delay, "an act of the test", std::move(act));
}

void world::add_fault(duration delay, const std::string& what, std::function<void()> act) {
  const auto& kept = config_.kept_faults;
  bool happens =
      !kept || std::find(kept->begin(), kept->end(), drawn_faults_.size()) != kept->end();
  std::string text;
  if (happens) {
    double at_s = std::chrono::duration<double>{now() + delay}.count();
    text = fmt::format("{} at {:.3f} s", what, at_s);
    agenda_->after(delay, "a fault", [this, what, act = std::move(act)] {
      agenda_->note(what);
      act();
    });
  }
  drawn_faults_.push_back(std::move(text));
}

void world::check(bool holds, std::string_view name) const {
  if (!holds) throw violation{std::string{name}, config_.seed, steps(), now()};
}

void world::expect(std::string_view name, const std::function<bool()>& condition, duration limit) {
  check(run_until(condition, limit), name);
}

void world::invariant(std::string name, std::function<bool()> holds) {
  rules_.push_back({std::move(name), std::move(holds)});
}

std::optional<time_point> world::next_due() const noexcept {
  std::optional<time_point> earliest = agenda_->next();
  for (const auto& each : nodes_) {
    auto next = each->next_due();
    if (next && (!earliest || *next < *earliest)) earliest = next;
  }
  return earliest;
}

void world::move_to(time_point when) {
  if (when <= agenda_->now()) return;
  agenda_->move_to(when);
  steps_at_once_ = 0;
}

void world::run_agenda() {
  history_->begin_step();
  std::string_view what = *agenda_->run_due();
  history_->mix(static_cast<std::uint64_t>(agenda_->now().time_since_epoch().count()));
  history_->mix(what);
  if (history_->keeps_lines()) history_->add_line(agenda_->now(), "-", what);
}

bool world::step_now() {
  if (scheduler::current() != nullptr) {
    misuse(
        "a sim::world was run by a task: only the test's own thread may, outside of all turns "
        "[X15]");
  }
  for (;;) {
    collect_ready();
    if (ready_.empty()) return false;
    candidate chosen = ready_[order_.below(ready_.size())];
    if (chosen.of == nullptr) {
      run_agenda();
    } else if (chosen.is_blocking_work) {
      chosen.of->run_blocking_work();
    } else if (!chosen.of->poll()) {
      continue;  // It was ready for nothing.
    }
    settle_step();
    return true;
  }
}

void world::collect_ready() {
  ready_.clear();
  for (const auto& each : nodes_) {
    if (each->is_ready()) ready_.push_back({each.get(), false});
    if (each->has_blocking_work()) ready_.push_back({each.get(), true});
  }
  if (auto next = agenda_->next(); next && *next <= agenda_->now()) {
    ready_.push_back({nullptr, false});
  }
}

void world::settle_step() {
  for (const rule& each : rules_) {
    check(each.holds(), each.name);
  }
  if (++steps_at_once_ > config_.max_steps_at_once) {
    throw violation{"time goes on", config_.seed, steps(), now()};
  }
  if (config_.max_turn_time > duration::zero()) {
    auto bound = static_cast<std::uint64_t>(config_.max_turn_time.count()) + 1;
    move_to(agenda_->now() + duration{static_cast<duration::rep>(order_.below(bound))});
  }
}

bool world::step() {
  while (!step_now()) {
    auto next = next_due();
    if (!next) return false;
    move_to(*next);
  }
  return true;
}

bool world::run_until(const std::function<bool()>& condition, duration limit) {
  time_point until = agenda_->now() + limit;
  while (!condition()) {
    if (agenda_->now() > until) return false;
    if (step_now()) continue;
    auto next = next_due();
    if (!next || *next > until) {
      if (condition()) break;  // It may have come with the last look.
      move_to(until);
      return false;
    }
    move_to(*next);
  }
  return true;
}

void world::advance(duration length) {
  (void)run_until([] { return false; }, length);
}

bool world::crash(troupe::detail::actor_block& of) {
  agenda_->note(fmt::format("{} crashes", name_of_actor(of)));
  return crash_actor(of, std::make_exception_ptr(injected_crash{}));
}

bool world::crash_one_actor() {
  std::size_t first = nodes_.empty() ? 0 : numbers_.below(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    node& each = *nodes_[(first + i) % nodes_.size()];
    if (each.is_up() && each.crash_one()) return true;
  }
  return false;
}

void world::fail_allocations(std::uint64_t one_of) noexcept { faults_->refuse_one_of(one_of); }

std::uint64_t world::failed_allocations() const noexcept { return faults_->refused(); }

void world::run() {
  while (step()) {
  }
}

}  // namespace troupe::inline v0_1::sim
