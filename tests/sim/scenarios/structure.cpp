// Trees of tasks: scopes, races, limits, sets, shields, and stops at any time.

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/join_set.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/shield.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/when_all.hpp>
#include <troupe/task/yield.hpp>

#include "families.hpp"

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

// A crash that is told from others.
class numbered_crash : public planned_crash {
public:
  explicit numbered_crash(std::size_t number) : number_{number} {}
  [[nodiscard]] std::size_t number() const noexcept { return number_; }

private:
  std::size_t number_;
};

// The tasks that one of them is responsible for.
struct group {
  std::size_t live = 0;
  std::optional<std::size_t> first_crash;
  std::vector<std::size_t> ends;  // Of tasks of a set, in their order.
};

struct state {
  explicit state(scene& in)
      : here{in},
        tasks_left(in.between(3, 150)),
        crash_percent(in.percent(50) ? in.between(1, 20) : 0) {}

  group& add_group() { return groups.emplace_back(); }

  scene& here;
  std::size_t tasks_left;  // That may still be started.
  const std::uint64_t crash_percent;
  std::size_t last_crash = 0;
  std::deque<group> groups;
  event signal;
};

class member {
public:
  explicit member(group& of) : of_{of} { ++of_.live; }
  member(const member&) = delete;
  member& operator=(const member&) = delete;
  ~member() { --of_.live; }

private:
  group& of_;
  alive counted_;
};

task<> act(state& in, std::size_t depth);

// A task of a group: does something, and notes how it ends.
task<> work(state& in, group& of, std::size_t depth) {
  member here{of};
  try {
    co_await act(in, depth);
  } catch (const numbered_crash& crash) {
    if (!of.first_crash) of.first_crash = crash.number();
    throw;
  }
}

task<std::size_t> work_in_set(state& in, group& of, std::size_t depth, std::size_t number) {
  struct last_note {
    ~last_note() { ends.push_back(number); }
    std::vector<std::size_t>& ends;
    const std::size_t number;
  } note{of.ends, number};
  co_await work(in, of, depth);
  co_return number;
}

// Nothing of the group is left, and what it has failed with is known.
void check_ended(state& in, const group& of, const char* what) {
  in.here.check(of.live == 0, "{} tasks outlive their {}", of.live, what);
}

task<> wait_somehow(state& in) {
  bool was_stopped = false;
  try {
    switch (in.here.below(3)) {
      case 0:
        co_await yield();
        break;
      case 1:
        co_await in.signal.wait();
        break;
      default:
        co_await sleep_for(in.here.some_time());
    }
  } catch (const canceled&) {
    was_stopped = true;
  }
  if (!was_stopped) co_return;
  // A stop stays.
  bool is_stopped_again = false;
  try {
    co_await sleep_for(1ms);
  } catch (const canceled&) {
    is_stopped_again = true;
  }
  in.here.check(is_stopped_again, "a task that was stopped waits on");
  throw canceled{};
}

task<> act_in_scope(state& in, std::size_t depth) {
  group& children = in.add_group();
  bool body_fails = in.here.percent(in.crash_percent);
  bool is_asked = in.here.percent(10);
  std::optional<std::size_t> crash;
  bool has_returned = false;
  try {
    co_await scope([&](scope_handle open) -> task<> {
      std::size_t count = in.here.between(0, 4);
      for (std::size_t i = 0; i < count; ++i) {
        open.spawn(work, std::ref(in), std::ref(children), depth + 1);
        if (in.here.percent(50)) co_await sleep_for(in.here.some_time());
      }
      if (is_asked) open.request_stop();
      if (!body_fails) co_return;
      std::size_t number = ++in.last_crash;
      if (!children.first_crash) children.first_crash = number;
      throw numbered_crash{number};
    });
    has_returned = true;
  } catch (const numbered_crash& seen) {
    crash = seen.number();
  } catch (const canceled&) {
    in.here.check(!children.first_crash,
                  "a scope ends as stopped, and one of its tasks has failed");
    check_ended(in, children, "scope");
    if (!is_asked) throw;
  }
  check_ended(in, children, "scope");
  in.here.check(!has_returned || !children.first_crash, "a scope hides a failure");
  in.here.check(crash == children.first_crash, "a scope throws another failure than the first");
  if (crash && in.here.percent(50)) throw numbered_crash{*crash};
}

task<> race(state& in, group& children, std::size_t depth) {
  switch (in.here.below(4)) {
    case 0: {
      auto limit = in.here.some_time();
      auto got = co_await timeout(limit, work(in, children, depth + 1)).as_result();
      in.here.check(got || got.error() == errc::timed_out, "a limit fails with {}",
                    got ? "nothing" : got.error().message());
      break;
    }
    case 1:
      co_await select(work(in, children, depth + 1), work(in, children, depth + 1));
      break;
    case 2:
      co_await select(sleep_for(in.here.some_time()), work(in, children, depth + 1),
                      in.signal.wait());
      break;
    default: {
      auto limit = in.here.some_time();
      auto both = when_all(work(in, children, depth + 1), work(in, children, depth + 1));
      co_await timeout(limit, std::move(both)).as_result();
    }
  }
}

task<> act_in_race(state& in, std::size_t depth) {
  group& children = in.add_group();
  try {
    co_await race(in, children, depth);
  } catch (...) {
    check_ended(in, children, "race");
    throw;
  }
  check_ended(in, children, "race");
}

task<> act_with_handles(state& in, std::size_t depth) {
  group& children = in.add_group();
  std::vector<join_handle<void>> all;
  std::size_t count = in.here.between(1, 3);
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(spawn(work, std::ref(in), std::ref(children), depth + 1));
  }
  if (in.here.percent(50)) co_await sleep_for(in.here.some_time());
  for (auto& each : all) {
    if (in.here.percent(30)) continue;  // Let go of: it ends by itself.
    co_await each.cancel();
    in.here.check(each.done(), "a task goes on after cancel()");
    --count;
  }
  in.here.check(children.live <= count, "{} tasks go on, {} were let go of", children.live, count);
}

task<> act_with_set(state& in, std::size_t depth) {
  group& children = in.add_group();
  join_set<std::size_t> set;
  std::size_t count = in.here.between(1, 5);
  for (std::size_t i = 0; i < count; ++i) {
    set.spawn(work_in_set, std::ref(in), std::ref(children), depth + 1, i);
  }
  if (in.here.percent(30)) co_await sleep_for(in.here.some_time());
  bool is_canceled = in.here.percent(20);
  if (is_canceled) {
    co_await set.cancel_all();
    check_ended(in, children, "set");
  }
  if (in.here.percent(20)) co_return;  // The set stops them, and does not wait.
  std::size_t taken = 0;
  for (;;) {
    auto got = co_await set.next().as_result();
    if (!got) break;
    // One that was stopped before it began has left no note.
    bool is_known = !is_canceled && taken < children.ends.size();
    in.here.check(!is_known || !*got || **got == children.ends[taken],
                  "a set gives the end of another task than the next one");
    ++taken;
  }
  in.here.check(taken == count, "a set of {} gives {} results", count, taken);
  check_ended(in, children, "set");
}

task<> act_in_shield(state& in) {
  bool was_stopped = false;
  co_await shield([](state& of, bool& stopped) -> task<> {
    alive frame;
    try {
      co_await sleep_for(of.here.some_time());
      co_await yield();
    } catch (const canceled&) {
      stopped = true;
    }
  }(in, was_stopped));
  in.here.check(!was_stopped, "a stop reaches what is shielded");
}

task<> act(state& in, std::size_t depth) {
  std::size_t steps = in.here.between(1, 3);
  for (std::size_t i = 0; i < steps; ++i) {
    if (in.here.percent(in.crash_percent)) throw numbered_crash{++in.last_crash};
    bool is_leaf = depth > 5 || in.tasks_left == 0 || in.here.percent(30);
    if (is_leaf) {
      co_await wait_somehow(in);
      continue;
    }
    --in.tasks_left;
    switch (in.here.below(5)) {
      case 0:
        co_await act_in_race(in, depth);
        break;
      case 1:
        co_await act_with_handles(in, depth);
        break;
      case 2:
        co_await act_with_set(in, depth);
        break;
      case 3:
        co_await act_in_shield(in);
        break;
      default:
        co_await act_in_scope(in, depth);
    }
  }
}

task<> program(state& in) {
  alive frame;
  scene& here = in.here;
  group& roots = in.add_group();
  std::vector<join_handle<void>> all;
  for (std::size_t i = 0; i < 3; ++i) {
    all.push_back(spawn(work, std::ref(in), std::ref(roots), std::size_t{0}));
  }
  auto signaling = spawn(
      [](state& of) -> task<> {
        co_await sleep_for(of.here.some_time());
        of.signal.set();
      },
      std::ref(in));
  for (auto& each : all) {
    if (here.percent(30)) {
      co_await sleep_for(here.some_time());
      co_await each.cancel();
    } else {
      try {
        co_await each;
      } catch (const numbered_crash&) {
        // Planned.
      }
    }
  }
  check_ended(in, roots, "roots");
  co_await signaling;
}

}  // namespace

void play_structure(scene& here) {
  auto& in = here.keep<state>(here);
  sim::node& node = here.add_node();
  node.start([&in]() -> task<> { return program(in); });
  if (here.percent(10)) here.world().after(here.some_time(), [&node] { node.kill(); });
  here.run(10min);
  for (const group& each : in.groups) {
    here.check(each.live == 0, "{} tasks are left at the end", each.live);
  }
  here.end_world();
}

}  // namespace troupe::scenarios
