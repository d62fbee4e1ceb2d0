// Actors that crash at random points, under supervisors of all kinds.

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <troupe/actor/supervisor.hpp>
#include <troupe/pal/atomic.hpp>
#include <troupe/pal/random.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/failure.hpp>
#include <troupe/task/yield.hpp>

#include "counts.hpp"

namespace reliability {

using namespace std::chrono_literals;
using namespace troupe;

namespace {

enum class point : unsigned char {
  handler,
  before_await,
  after_await,
  side_task,
  constructor,  // After a handler: those of the next incarnations too.
  last_words,   // After a handler: on_stop as well, and the destructor, as far as one may throw.
};
constexpr std::uint64_t point_count = 6;
constexpr std::size_t children_of_each = 3;

struct tallies {
  pal::atomic<std::uint64_t> crashes{0};        // Incarnations that were ended by one.
  pal::atomic<std::uint64_t> constructions{0};  // Begun; some crash.
  pal::atomic<std::uint64_t> births{0};         // Of children: their first construction.
  pal::atomic<std::uint64_t> last_words{0};     // Crashes of an on_stop, which end nothing more.
  pal::atomic<std::uint64_t> downs{0};          // Notices of crashes.
  pal::atomic<std::uint64_t> siblings{0};       // Notices of incarnations that ended with another.
  pal::atomic<std::uint64_t> escalations{0};    // Notices of supervisors that gave up.
};

pal::atomic<std::uint64_t> unobserved{0};
void count_unobserved(const failure&) { unobserved.fetch_add(1); }

struct crash_at {
  point where;
};
struct crash_in_coroutine {
  bool awaits_first;
};
struct crash_aside {};
struct are_you_there {};

// What is left of a child from one incarnation to the next.
struct child_plan {
  std::uint64_t failing_constructors = 0;
  bool fails_last_words = false;
};

class crasher : public actor {
public:
  crasher(tallies* count, child_plan* plan) : count_{count}, plan_{plan} {
    count_->constructions.fetch_add(1);
    if (plan_->failing_constructors > 0) {
      --plan_->failing_constructors;
      crash();
    }
  }
  ~crasher() {
    try {
      throw std::runtime_error{"within a destructor"};
    } catch (const std::runtime_error&) {
      held_.reset();
    }
  }

  void on(crash_at m) {
    if (m.where == point::constructor) plan_->failing_constructors = 2;
    plan_->fails_last_words = m.where == point::last_words;
    crash();
  }
  task<> on(crash_in_coroutine m) {
    auto held = std::make_unique<int>(1);
    if (m.awaits_first) co_await yield();
    *held = 2;
    crash();
  }
  task<> on(crash_aside) {
    self().spawn([this]() -> task<> {
      co_await yield();
      crash();
    });
    co_await sleep_for(1h);
  }
  bool on(are_you_there) { return true; }

  task<> on_stop() {
    co_await yield();
    if (!std::exchange(plan_->fails_last_words, false)) co_return;
    count_->last_words.fetch_add(1);
    throw std::runtime_error{"no last words"};
  }

private:
  [[noreturn]] void crash() {
    count_->crashes.fetch_add(1);
    throw std::runtime_error{"crashed on purpose"};
  }

  tallies* count_;
  child_plan* plan_;
  std::unique_ptr<int> held_ = std::make_unique<int>(0);
};

struct watch_over {
  std::vector<ref<crasher>> children;
};
struct watch_supervisor {
  ref<supervisor> whom;
};

class observer : public actor {
public:
  explicit observer(tallies* count) : count_{count} {}
  bool on(const watch_over& m) {
    for (const auto& each : m.children) self(this).monitor(each);
    return true;
  }
  bool on(const watch_supervisor& m) {
    self(this).monitor(m.whom);
    above_ = m.whom.id();
    return true;
  }
  void on(const down& m) {
    if (!m.restarts) return;  // The end of the tree.
    if (m.who == above_) {
      count_->escalations.fetch_add(1);
    } else {
      (m.why.kind == exit_kind::failed ? count_->downs : count_->siblings).fetch_add(1);
    }
  }
  bool on(are_you_there) { return true; }

private:
  tallies* count_;
  actor_id above_{};
};

task<> crash_one(ref<crasher> victim, point where) {
  result<void> outcome;
  if (where == point::before_await || where == point::after_await) {
    crash_in_coroutine message{where == point::after_await};
    outcome = co_await victim.ask(message).as_result();
  } else if (where == point::side_task) {
    outcome = co_await victim.ask(crash_aside{}).as_result();
  } else {
    crash_at message{where};
    outcome = co_await victim.ask(message).as_result();
  }
  if (!outcome.has_error()) throw std::logic_error{"a crash was answered"};
}

// One supervisor, its children, and what crashes them, one after the other.
class tree {
public:
  tree(tallies& count, supervision how, bool escalates) : count_{&count} {
    constexpr duration none = duration::zero();
    supervision patient{
        .max_restarts = supervision::unlimited, .min_delay = none, .max_delay = none};
    if (escalates) above_.emplace(spawn<supervisor>(patient));
    how.min_delay = how.max_delay = none;
    below_.emplace(escalates ? spawn_child<supervisor>(*above_, how) : spawn<supervisor>(how));
    for (child_plan& each : plans_) {
      children_.push_back(spawn_child<crasher>(*below_, count_, &each));
      count_->births.fetch_add(1);
    }
  }

  task<> watch() {
    watch_over all{children_};
    (void)co_await watching_.ask(take(all));
    if (!above_) co_return;
    watch_supervisor inner{*below_};
    (void)co_await watching_.ask(take(inner));
  }

  task<> crash_until(std::uint64_t wanted, std::uint64_t seed) {
    pal::random dice{seed};
    while (count_->crashes.load(std::memory_order_relaxed) < wanted) {
      auto where = static_cast<point>(dice.below(point_count));
      std::uint64_t whom = dice.below(children_.size());
      co_await crash_one(children_[whom], where);
      for (const auto& each : children_) (void)co_await each.ask(are_you_there{});
    }
  }

  // Returns: whether all of it has lived until now.
  task<bool> end() {
    bool was_alive = !top().has_ended();
    for (const auto& each : children_) was_alive = was_alive && co_await each.ask(are_you_there{});
    top().stop();
    (void)co_await top().ended();
    (void)co_await watching_.ask(are_you_there{});  // After all notices.
    co_return was_alive;
  }

private:
  [[nodiscard]] const ref<supervisor>& top() const { return above_ ? *above_ : *below_; }

  tallies* count_;
  std::array<child_plan, children_of_each> plans_{};  // Outlive the children.
  std::optional<ref<supervisor>> above_, below_;
  std::vector<ref<crasher>> children_;
  ref<observer> watching_ = spawn<observer>(actor_options{.unbounded = true}, count_);
};

// Returns: whether all supervisors were alive at the end.
task<bool> storm(tallies& count, std::uint64_t wanted, std::uint64_t seed) {
  constexpr std::array strategies{restart_strategy::one_for_one, restart_strategy::one_for_all,
                                  restart_strategy::rest_for_one};
  std::vector<std::unique_ptr<tree>> trees;
  for (int copies = 0; copies < 3; ++copies) {
    for (restart_strategy each : strategies) {
      supervision how{.strategy = each, .max_restarts = supervision::unlimited};
      trees.push_back(std::make_unique<tree>(count, how, false));
      how.max_restarts = 3;
      trees.push_back(std::make_unique<tree>(count, how, true));
    }
  }
  for (auto& each : trees) co_await each->watch();
  std::vector<join_handle<void>> running;
  for (auto& each : trees) {
    running.push_back(spawn([t = each.get(), wanted, own = seed++ * 0x9e3779b97f4a7c15U] {
      return t->crash_until(wanted, own);
    }));
  }
  for (auto& each : running) co_await each;
  bool all_alive = true;
  for (auto& each : trees) {
    bool was_alive = co_await each->end();
    all_alive = all_alive && was_alive;
  }
  co_return all_alive;
}

}  // namespace

std::string storm_of_crashes(const settings& how) {
  set_failure_sink(&count_unobserved);
  runtime_config config;
  config.workers = 2;
  config.deadline = 60s;
  runtime rt{config};
  {
    tallies warm_up;
    (void)rt.block_on([&] { return storm(warm_up, how.count / 10 + 1'000, how.seed + 1'000); });
  }
  auto before = static_cast<double>(resident_bytes());
  unobserved.store(0);
  tallies count;
  auto begin = std::chrono::steady_clock::now();
  bool all_alive = rt.block_on([&] { return storm(count, how.count, how.seed); });
  std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  auto after = static_cast<double>(resident_bytes());
  std::uint64_t crashes = count.crashes.load(), downs = count.downs.load();
  // Each notice but the last promises a restart, and each restart constructs once.
  std::uint64_t promised = count.births.load() + downs + count.siblings.load();
  auto difference = [](std::uint64_t a, std::uint64_t b) { return a > b ? a - b : b - a; };
  return fmt::format(
      R"({{"crashes": {}, "seconds": {:.3f}, "crashes_per_s": {:.0f}, "wrong_notices": {}, )"
      R"("lost_restarts": {}, "wrong_reports": {}, "escalations": {}, "siblings": {}, )"
      R"("all_alive": {}, "memory_growth_percent": {:.2f}}})",
      crashes, passed.count(), static_cast<double>(crashes) / passed.count(),
      difference(downs, crashes), difference(count.constructions.load(), promised),
      difference(unobserved.load(), count.last_words.load()), count.escalations.load(),
      count.siblings.load(), all_alive, 100 * (after / before - 1));
}

}  // namespace reliability
