// The hand-off of timers: framework/troupe/sched/detail/timer_wheel.hpp and timer_shelf.hpp, the
// waits of sched/sleep.hpp; docs/protocols/timer_handoff.md.
//
// Tasks sleep, on the wheel of thread 0, while other threads wake them for another reason and
// advance the wheel. A task's node is in its frame, which ends when the wait is over: an operation
// on its atomic beside that is a race, a use of the rest of it finds garbage.
//
// Not seen: plain members of the wheel beside its lock. The shelf has two places.

#include <model/model.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include <model/shim/troupe/sched/detail/capacities.hpp>
#include <model/tasks.hpp>

#include <troupe/sched/detail/timer_wheel.cpp>
#include <troupe/sched/sleep.hpp>

namespace troupe::model {

namespace {

using detail::sleep_operation;
using detail::task_core;
using detail::timer_wheel;
using namespace std::chrono_literals;

// Goes on when the scenario says so.
class stepped_clock final : public pal::clock {
public:
  [[nodiscard]] time_point now() const noexcept override { return now_; }
  bool jump_to(time_point) noexcept override { return false; }
  void set(time_point now) noexcept { now_ = std::max(now_, now); }

private:
  time_point now_{1s};
};

// What the waits of a scenario use; those of the worker that runs in thread 0.
struct timers {
  stepped_clock clock;
  timer_wheel wheel;
  int earlier_timers = 0;

  explicit timers(bool has_shelf) : wheel{time_point{1s}, has_shelf} { current = this; }
  ~timers() { current = nullptr; }
  timers(const timers&) = delete;
  timers& operator=(const timers&) = delete;

  static inline timers* current = nullptr;
};

}  // namespace

}  // namespace troupe::model

namespace troupe::inline v0_1::detail {

// As in sched/sleep.cpp, of the scenario's wheel in place of the worker's.
void sleep_operation::start() noexcept {
  is_limit_ = is_limit_ && model::timers::current->wheel.has_shelf();
  if (is_limit_) return;
  node_.deadline = model::timers::current->clock.now() + length_;
}

bool sleep_operation::enlist(waker key) noexcept {
  auto& [clock, wheel, earlier_timers] = *model::timers::current;
  node_.key = key;
  bool is_earliest = false;
  if (is_limit_) {
    is_limit_ = false;
    is_earliest = wheel.shelve(node_, length_, clock);
  } else {
    if (node_.deadline == time_point::min()) node_.deadline = clock.now() + length_;
    is_earliest = wheel.insert(node_);
  }
  if (is_earliest) ++earlier_timers;
  return true;
}

}  // namespace troupe::inline v0_1::detail

namespace troupe::model {

namespace {

// Sleeps, unless an event comes first; as select() of both.
class sleep_or_event {
public:
  static constexpr const char* name = "a model";

  sleep_or_event(sleep_operation sleep, const pal::atomic<bool>& event) noexcept
      : sleep_{std::move(sleep)}, event_{&event} {}

  void start() noexcept { sleep_.start(); }
  bool poll() noexcept {
    has_fired_ = sleep_.poll();
    return has_fired_ || event_->load(std::memory_order_relaxed);
  }
  bool enlist(waker key) noexcept { return sleep_.enlist(key); }
  void delist() noexcept { sleep_.delist(); }
  bool take() noexcept { return has_fired_; }

private:
  sleep_operation sleep_;
  const pal::atomic<bool>* event_;
  bool has_fired_ = false;
};

// A task that sleeps, and may be woken by an event.
struct sleeper {
  pal::atomic<bool> event{false};
  waker key;
  int times_fired = 0;
  bool is_over = false;

  void wake() noexcept {
    event.store(true, std::memory_order_relaxed);
    key.wake();
  }

  static task<> body(sleeper& self, sleep_operation sleep) {
    sleep_or_event both{std::move(sleep), self.event};
    bool has_fired = co_await both;
    self.times_fired += has_fired ? 1 : 0;
    self.is_over = true;
  }

  void start(tasks& all, sleep_operation sleep) {
    task_core& core = all.start_on_thread(0, &body, std::ref(*this), std::move(sleep));
    key = core.current_waker();
    core.detach();
  }
};

// The timer fires while its task is woken for another reason.
struct fire_or_erase : scenario<fire_or_erase, 3> {
  static constexpr const char* name = "fire_or_erase";

  tasks all;
  timers in{false};
  sleeper task;
  bool is_woken = false;

  void before() {
    task.start(all, sleep_operation{1ms});
    is_woken = choose(2) != 0;
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 1 && is_woken) task.wake();
    if (index == 2) {
      for (int i = 0; i < 2; ++i) {
        in.clock.set(time_point{1s} + 5ms);
        in.wheel.advance(in.clock.now(), 8, false);
        all.run_ready();
      }
    }
    all.run_ready();
  }
  void after() {
    in.clock.set(time_point{1s} + 20ms);  // The task may have slept after both looks.
    in.wheel.advance(in.clock.now(), 8, true);
    for (std::size_t i = 0; i < 3; ++i) all.run_on(i);
    check(task.is_over, "a timer or an event ends the wait");
    check(is_woken || task.times_fired == 1, "without an event the timer does");
    check(in.wheel.size() == 0, "nothing is left in the wheel");
    check(all.alive() == 0, "each task ends");
  }
};

// Two threads advance one wheel.
struct two_advance : scenario<two_advance, 3> {
  static constexpr const char* name = "two_advance";

  tasks all;
  timers in{false};
  std::array<sleeper, 2> sleepers;

  void before() {
    for (auto& each : sleepers) each.start(all, sleep_operation{1ms});
    tasks::work_here();
    detail::current_context_pointer = &tasks::contexts[0];
    all.run_on(0);
    in.clock.set(time_point{1s} + 5ms);
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index > 0) in.wheel.advance(in.clock.now(), 1, false);
    all.run_ready();
  }
  void after() {
    check(sleepers[0].times_fired == 1 && sleepers[1].times_fired == 1, "each timer fires once");
    check(in.wheel.size() == 0 && !in.wheel.next(), "nothing is left in the wheel");
    check(all.alive() == 0, "each task ends");
  }
};

// A second timer goes onto a shelf that is open, while a watcher settles what lies there and
// another thread wakes its task.
struct shelf : scenario<shelf, 3> {
  static constexpr const char* name = "shelf";

  tasks all;
  timers in{true};
  std::array<sleeper, 2> sleepers;

  void before() {
    for (auto& each : sleepers) each.start(all, sleep_operation::as_limit(2ms));
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 1) sleepers[1].wake();
    if (index == 2) {
      for (duration passed : {2ms, 8ms}) {
        in.clock.set(time_point{1s} + passed);
        in.wheel.advance(in.clock.now(), 8, false);
        all.run_ready();
      }
    }
    all.run_ready();
  }
  void after() {
    in.wheel.clear_shelf(in.clock);
    in.clock.set(time_point{1s} + 60ms);
    in.wheel.advance(in.clock.now(), 8, true);
    for (std::size_t i = 0; i < 3; ++i) all.run_on(i);
    check(sleepers[0].times_fired == 1, "what lay on the shelf fires");
    check(sleepers[1].is_over, "an event or the timer ends the wait");
    check(in.wheel.size() == 0, "nothing is left in the wheel");
    check(all.alive() == 0, "each task ends");
  }
};

// The owner goes to sleep and clears its shelf, while a watcher settles it.
struct clear : scenario<clear, 2> {
  static constexpr const char* name = "clear";

  tasks all;
  timers in{true};
  std::array<sleeper, 3> sleepers;  // One more than there are places.

  void before() {
    for (auto& each : sleepers) each.start(all, sleep_operation::as_limit(2ms));
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 0) {
      all.run_ready();
      in.wheel.clear_shelf(in.clock);
      check(in.wheel.next().has_value() || in.clock.now() > time_point{1s} + 2ms,
            "an owner that sleeps knows of its timers");
    } else {
      in.clock.set(time_point{1s} + 2ms);
      in.wheel.advance(in.clock.now(), 8, false);
      in.clock.set(time_point{1s} + 4ms);
      in.wheel.advance(in.clock.now(), 8, false);
    }
    all.run_ready();
  }
  void after() {
    in.clock.set(time_point{1s} + 60ms);
    in.wheel.advance(in.clock.now(), 8, true);
    for (std::size_t i = 0; i < 2; ++i) all.run_on(i);
    for (auto& each : sleepers) check(each.times_fired == 1, "each timer fires once");
    check(in.wheel.size() == 0, "nothing is left in the wheel");
    check(all.alive() == 0, "each task ends");
  }
};

// A busy worker arms a timer that is the earliest, and has an idle one look; another one is on its
// way into the driver. What both do is that of worker::sleep() and worker::wait_in_driver().
struct driver : scenario<driver, 2> {
  static constexpr const char* name = "driver";

  static constexpr duration::rep never = duration::max().count();

  timers in{false};
  detail::timer_node node;
  pal::atomic<duration::rep> driver_until{duration::min().count()};
  std::optional<time_point> sleeps_until;
  bool is_interrupted = false;

  void thread(unsigned index) {
    if (index == 0) {
      node.deadline = in.clock.now() + 1ms;
      check(in.wheel.insert(node), "it is the earliest");
      duration::rep attended = driver_until.load(std::memory_order_seq_cst);
      auto until = in.wheel.next();
      is_interrupted = until && until->time_since_epoch().count() < attended;
      return;
    }
    auto until = in.wheel.next();
    driver_until.store(until ? until->time_since_epoch().count() : never,
                       std::memory_order_seq_cst);
    sleeps_until = in.wheel.next();
  }
  void after() {
    bool slept_before = driver_until.load() == duration::min().count();
    check(slept_before || sleeps_until || is_interrupted, "a driver learns of an earlier timer");
    in.wheel.erase(node);
  }
};

// The last timer fires on one thread; who finds none left on another one sees what it has woken.
struct last_timer : scenario<last_timer, 2> {
  static constexpr const char* name = "last_timer";

  tasks all;
  timers in{false};
  sleeper task;
  pal::atomic<bool> queued{false};

  void before() {
    task.start(all, sleep_operation{1ms});
    tasks::work_here();
    detail::current_context_pointer = &tasks::contexts[0];
    all.run_on(0);
    in.clock.set(time_point{1s} + 5ms);
    all.on_schedule([this] { queued.store(true, std::memory_order_relaxed); });
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 0) {
      in.wheel.advance(in.clock.now(), 8, true);
      all.run_ready();
    } else if (!in.wheel.next()) {
      check(queued.load(std::memory_order_relaxed), "without timers nothing is about to be queued");
    }
  }
  void after() {
    check(task.times_fired == 1, "the timer fires");
    check(all.alive() == 0, "each task ends");
  }
};

}  // namespace

}  // namespace troupe::model

int main(int argc, char** argv) {
  using namespace troupe::model;
  return run<fire_or_erase, two_advance, shelf, clear, driver, last_timer>("timer", argc, argv);
}
