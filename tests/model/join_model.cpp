// The join word: framework/troupe/task/core.hpp, docs/protocols/wake_word.md. With it the groups of
// children that do without: when_all() and join_set.
//
// The tasks, handles and groups are those that ship. Values lie in the cells: who reads one, and
// who destroys it, must have seen its making.
//
// Not seen: a step of a thread that takes effect after a later one of the same thread, so that a
// handle would reach into its cell when that is free; `handled` stands for that.

#include <model/model.hpp>

#include <functional>
#include <memory>
#include <utility>

#include <model/tasks.hpp>

#include <troupe/sync/detail/join_set_core.cpp>
#include <troupe/sync/join_set.hpp>
#include <troupe/task/when_all.cpp>

namespace troupe::model {

namespace {

using detail::task_core;

// What the threads of a scenario see of a task's value, and of its end.
struct traces {
  plain<int> handled{0};  // Written by whoever has the handle.
  int made = 0;
  int destroyed = 0;
};

// A value that must be read, and destroyed, after it was made.
class value {
public:
  explicit value(traces& in) : in_{&in} {
    content_.write(1);
    ++in_->made;
  }
  value(value&& other) noexcept : in_{std::exchange(other.in_, nullptr)} {
    content_.write(other.content_.read());
    other.content_.write(0);
  }
  value& operator=(value&&) = delete;
  ~value() {
    content_.write(0);
    if (in_ == nullptr) return;
    in_->handled.write(2);
    ++in_->destroyed;
  }

  void check_made() const { check(content_.read() == 1, "a value is seen as it was made"); }

private:
  traces* in_;
  plain<int> content_;
};

task<value> make_value(traces& in) { co_return value{in}; }

// The handle is dropped while its task ends.
struct detach : scenario<detach, 2> {
  static constexpr const char* name = "detach";

  tasks all;
  traces seen;
  task_core* ending = nullptr;

  void before() { ending = &all.start_on_thread(0, make_value(seen)); }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 1) {
      seen.handled.write(1);
      ending->detach();
    }
    all.run_ready();
  }
  void after() {
    check(seen.made == 1 && seen.destroyed == 1, "a value that nobody wants ends with its task");
    check(all.alive() == 0, "whoever comes second gives the cell back");
  }
};

// A task waits for another; it has waited before, so that an old state of its wake word is wrong.
struct join : scenario<join, 2> {
  static constexpr const char* name = "join";

  tasks all;
  traces seen;
  task_core* ending = nullptr;
  bool is_over = false;

  struct first_wait {
    static constexpr const char* name = "a model";
    bool has_looked = false;
    bool poll() noexcept { return std::exchange(has_looked, true); }
    bool enlist(waker key) noexcept { return !key.wake(); }
    void delist() noexcept {}
    void take() noexcept {}
  };

  static task<> body(join& in) {
    first_wait first;
    co_await first;
    join_handle<value> handle{*in.ending};
    in.seen.handled.write(1);
    value taken = co_await handle;
    taken.check_made();
    in.is_over = true;
  }

  void before() {
    ending = &all.start_on_thread(0, make_value(seen));
    all.start_on_thread(1, &body, std::ref(*this)).detach();
  }
  void thread(unsigned) {
    tasks::work_here();
    all.run_ready();
  }
  void after() {
    check(is_over, "who waits for the end of a task is told");
    check(seen.made == 1 && seen.destroyed == 1, "a value is moved out and ends");
    check(all.alive() == 0, "all cells are given back");
  }
};

// A task is stopped in its wait for another one, and drops the handle.
struct leave : scenario<leave, 3> {
  static constexpr const char* name = "leave";

  tasks all;
  traces seen;
  task_core* ending = nullptr;
  task_core* waiting = nullptr;
  bool is_over = false;

  static task<> body(leave& in) {
    join_handle<value> handle{*in.ending};
    in.seen.handled.write(1);
    try {
      value taken = co_await handle;
      taken.check_made();
    } catch (const canceled&) {
      check(in.waiting->stop_requested(), "nobody is stopped who was not asked to");
    }
    in.is_over = true;
  }

  void before() {
    ending = &all.start_on_thread(0, make_value(seen));
    waiting = &all.start_on_thread(1, &body, std::ref(*this));
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 2) waiting->request_stop();
    all.run_ready();
  }
  void after() {
    check(is_over, "a stop request ends the wait");
    waiting->detach();
    check(seen.made == 1 && seen.destroyed == 1, "a value ends once");
    check(all.alive() == 0, "all cells are given back");
  }
};

// Two children of a group, on a thread each, and the parent on a third.
struct group : scenario<group, 3> {
  static constexpr const char* name = "group";

  struct children final : detail::child_group {
    children() : child_group{2} {}
    using child_group::start_child;
    void start() noexcept {}
    void take() {
      rethrow();
      for (std::size_t i = 0; i < size(); ++i) detail::take_outcome<value>(child(i)).check_made();
    }
  };

  tasks all;
  std::array<traces, 2> seen;
  std::unique_ptr<children> both;
  bool is_over = false;

  static task<> body(group& in) {
    co_await *in.both;
    in.both.reset();
    in.is_over = true;
  }

  void before() {
    task_core& parent = all.start_on_thread(2, &body, std::ref(*this));
    parent.detach();
    both = std::make_unique<children>();
    for (std::size_t i = 0; i < 2; ++i) {
      all.aim_at(i);
      detail::current_context()->current = &parent;
      both->start_child(make_value(seen[i]), std::source_location{});
      detail::current_context()->current = nullptr;
    }
    all.aim_no_more();
  }
  void thread(unsigned) {
    tasks::work_here();
    all.run_ready();
  }
  void after() {
    check(is_over, "the last child tells the parent");
    for (const traces& each : seen) {
      check(each.made == 1 && each.destroyed == 1, "each value is moved out and ends");
    }
    check(all.alive() == 0, "all cells are given back");
  }
};

// One child fails; the other one, which waits for nothing but a stop request, is stopped.
struct failing_group : scenario<failing_group, 3> {
  static constexpr const char* name = "failing_group";

  struct failure {};
  struct children final : detail::child_group {
    children() : child_group{2} {}
    using child_group::start_child;
    void start() noexcept {}
    void take() { rethrow(); }
  };
  struct endless_wait {
    static constexpr const char* name = "a model";
    bool poll() noexcept { return false; }
    bool enlist(waker) noexcept { return true; }
    void delist() noexcept {}
    void take() noexcept {}
  };

  tasks all;
  std::unique_ptr<children> both;
  bool has_failed = false;

  static task<> fail() {
    throw failure{};
    co_return;
  }
  static task<> wait_for_ever() {
    endless_wait wait;
    co_await wait;
  }
  static task<> body(failing_group& in) {
    try {
      co_await *in.both;
    } catch (const failure&) {
      in.has_failed = true;
    }
    in.both.reset();
  }

  void before() {
    task_core& parent = all.start_on_thread(2, &body, std::ref(*this));
    parent.detach();
    both = std::make_unique<children>();
    for (std::size_t i = 0; i < 2; ++i) {
      all.aim_at(i);
      detail::current_context()->current = &parent;
      both->start_child(i == 0 ? fail() : wait_for_ever(), std::source_location{});
      detail::current_context()->current = nullptr;
    }
    all.aim_no_more();
  }
  void thread(unsigned) {
    tasks::work_here();
    all.run_ready();
  }
  void after() {
    check(has_failed, "a failure stops the other children, and is thrown at their end");
    check(all.alive() == 0, "all cells are given back");
  }
};

// The tasks of a join_set end on other threads than the one that takes their values.
struct set : scenario<set, 3> {
  static constexpr const char* name = "set";

  tasks all;
  std::array<traces, 2> seen;
  std::unique_ptr<join_set<value>> both;
  int taken = 0;

  static task<> body(set& in) {
    for (;;) {
      auto next = co_await in.both->next();
      if (!next) break;
      next->check_made();
      ++in.taken;
    }
    in.both.reset();
  }

  void before() {
    both = std::make_unique<join_set<value>>();
    for (std::size_t i = 0; i < 2; ++i) {
      all.aim_at(i);
      both->spawn(&make_value, std::ref(seen[i]));
    }
    all.aim_no_more();
    all.start_on_thread(2, &body, std::ref(*this)).detach();
  }
  void thread(unsigned) {
    tasks::work_here();
    all.run_ready();
  }
  void after() {
    check(taken == 2, "each value is taken once");
    for (const traces& each : seen) {
      check(each.made == 1 && each.destroyed == 1, "each value is moved out and ends");
    }
    check(all.alive() == 0, "all cells are given back");
  }
};

// A join_set is dropped while its tasks end.
struct dropped_set : scenario<dropped_set, 3> {
  static constexpr const char* name = "dropped_set";

  tasks all;
  std::array<traces, 2> seen;
  std::unique_ptr<join_set<value>> both;

  void before() {
    both = std::make_unique<join_set<value>>();
    for (std::size_t i = 0; i < 2; ++i) {
      all.aim_at(i);
      both->spawn(&make_value, std::ref(seen[i]));
    }
    all.aim_no_more();
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 2) both.reset();
    all.run_ready();
  }
  void after() {
    for (const traces& each : seen) {
      check(each.made == each.destroyed, "values that nobody wants end");
    }
    check(all.alive() == 0, "all cells are given back");
  }
};

}  // namespace

}  // namespace troupe::model

int main(int argc, char** argv) {
  using namespace troupe::model;
  return run<detach, join, leave, group, failing_group, set, dropped_set>("join", argc, argv);
}
