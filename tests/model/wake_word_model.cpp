// The wake word: framework/troupe/task/core.hpp, docs/protocols/wake_word.md.
//
// Tasks whose coroutines, awaits and cells are those that ship, and threads that wake them, stop
// them and look at them. What a task waits for is told by relaxed operations: all that a turn sees
// of the one before, and of who has woken it, it sees by the wake word.
//
// Not seen: a waker that is 65 536 waits late.

#include <model/model.hpp>

#include <cstdint>
#include <functional>

#include <model/tasks.hpp>

namespace troupe::model {

namespace {

using detail::task_core;

// Something that happens once, of which the word orders nothing.
class quiet_event {
public:
  void happen() {
    before_.write(1);
    has_happened_.store(true, std::memory_order_relaxed);
  }
  [[nodiscard]] bool seen() const { return has_happened_.load(std::memory_order_relaxed); }
  void check_before() const {
    check(before_.read() == 1, "who sees an event by a wake sees what was done before");
  }

private:
  pal::atomic<bool> has_happened_{false};
  plain<int> before_;
};

// A wait, with what one turn tells the next.
class bare_wait {
public:
  static constexpr const char* name = "a model";

  bool enlist(waker) noexcept {
    check(!is_enlisted_, "a wait is enlisted once at a time");
    is_enlisted_ = true;
    told_.write(looks_);
    return true;
  }
  void delist() noexcept {
    check(is_enlisted_, "what is not enlisted is not taken back");
    check(told_.read() == looks_, "a turn sees what the one before has done");
    is_enlisted_ = false;
    ++looks_;
  }
  void take() noexcept {}

  /// Returns: how many looks there were after the first one.
  [[nodiscard]] int looks() const { return looks_; }

private:
  int looks_ = 0;
  bool is_enlisted_ = false;
  plain<int> told_;
};

// A wait that only its event ends: each look after the first must find it.
class sure_wait : public bare_wait {
public:
  explicit sure_wait(const quiet_event& event) : event_{&event} {}

  bool poll() noexcept {
    if (looks() == 0) return false;
    check(event_->seen(), "nobody is woken in vain");
    event_->check_before();
    return true;
  }

private:
  const quiet_event* event_;
};

// The same, deaf to stop requests.
class shielded_wait : public sure_wait {
public:
  using sure_wait::sure_wait;
  [[nodiscard]] bool shielded() const noexcept { return true; }
  void stop() noexcept {}
};

// A task that waits once, a thread that wakes it.
struct one_wake : scenario<one_wake, 2> {
  static constexpr const char* name = "one_wake";

  tasks all;
  quiet_event event;
  waker key;
  bool is_over = false;

  static task<> body(one_wake& in) {
    sure_wait operation{in.event};
    co_await operation;
    in.is_over = true;
  }

  void before() {
    task_core& sleeper = all.start_on_thread(0, &body, std::ref(*this));
    key = sleeper.current_waker();
    sleeper.detach();
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 1) {
      event.happen();
      key.wake();
    }
    all.run_ready();
  }
  void after() {
    check(is_over, "who is woken goes on");
    check(all.alive() == 0, "each task ends");
  }
};

// Two threads have the key of a wait; one of them comes late, into the next wait.
struct two_wakers : scenario<two_wakers, 3> {
  static constexpr const char* name = "two_wakers";

  tasks all;
  std::array<quiet_event, 2> events;
  quiet_event last;
  waker key;
  pal::atomic<std::uint64_t> last_key{0};
  bool is_over = false;

  struct any_wait : bare_wait {
    const two_wakers* in;
    explicit any_wait(const two_wakers& of) : in{&of} {}
    bool poll() noexcept {
      if (looks() == 0) return false;
      check(in->events[0].seen() || in->events[1].seen(), "nobody is woken in vain");
      return true;
    }
  };
  struct last_wait : sure_wait {
    two_wakers* in;
    explicit last_wait(two_wakers& of) : sure_wait{of.last}, in{&of} {}
    bool enlist(waker own) noexcept {
      in->last_key.store(own.bits(), std::memory_order_release);  // R6
      return sure_wait::enlist(own);
    }
  };

  static task<> body(two_wakers& in) {
    any_wait first{in};
    co_await first;
    last_wait second{in};
    co_await second;
    in.is_over = true;
  }

  void before() {
    task_core& sleeper = all.start_on_thread(0, &body, std::ref(*this));
    key = sleeper.current_waker();
    sleeper.detach();
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index > 0) {
      events[index - 1].happen();
      key.wake();
      all.run_ready();
      return;
    }
    all.run_ready();
    std::uint64_t found = 0;
    while (found == 0) {
      give_way();
      found = last_key.load(std::memory_order_acquire);  // R6
    }
    last.happen();
    waker::from_bits(found).wake();
    all.run_ready();
  }
  void after() {
    check(is_over, "who is woken goes on");
    check(all.alive() == 0, "each task ends");
  }
};

// A stop request, with or without a wake at the same time.
struct wake_and_stop : scenario<wake_and_stop, 3> {
  static constexpr const char* name = "wake_and_stop";

  tasks all;
  quiet_event event;
  quiet_event reason;
  task_core* sleeper = nullptr;
  waker key;
  bool wakes = false;
  bool is_over = false;

  struct any_wait : bare_wait {
    const quiet_event* event;
    explicit any_wait(const quiet_event& of) : event{&of} {}
    bool poll() noexcept { return looks() > 0 && event->seen(); }
  };

  static task<> body(wake_and_stop& in) {
    any_wait operation{in.event};
    try {
      co_await operation;
    } catch (const canceled&) {
      check(in.reason.seen(), "nobody is stopped who was not asked to");
      in.reason.check_before();
    }
    in.is_over = true;
  }

  void before() {
    sleeper = &all.start_on_thread(0, &body, std::ref(*this));
    key = sleeper->current_waker();
    wakes = choose(2) != 0;
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 1 && wakes) {
      event.happen();
      key.wake();
    } else if (index == 2) {
      reason.happen();
      sleeper->request_stop();
    }
    all.run_ready();
  }
  void after() {
    check(is_over && sleeper->done(), "a stop request ends a wait");
    sleeper->detach();
    check(all.alive() == 0, "each task ends");
  }
};

// A stop request comes into a wait that is deaf to it.
struct shielded : scenario<shielded, 3> {
  static constexpr const char* name = "shielded";

  tasks all;
  quiet_event event;
  task_core* sleeper = nullptr;
  waker key;
  bool is_over = false;

  static task<> body(shielded& in) {
    shielded_wait operation{in.event};
    co_await operation;
    in.is_over = true;
  }

  void before() {
    sleeper = &all.start_on_thread(0, &body, std::ref(*this));
    key = sleeper->current_waker();
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 1) {
      event.happen();
      key.wake();
    } else if (index == 2) {
      sleeper->request_stop();
    }
    all.run_ready();
  }
  void after() {
    check(is_over, "who is woken goes on");
    check(sleeper->stop_requested(), "a stop request stays");
    sleeper->detach();
    check(all.alive() == 0, "each task ends");
  }
};

// Two threads nudge, each after something that the task waits for. Looks in vain are expected.
struct nudges : scenario<nudges, 3> {
  static constexpr const char* name = "nudges";

  tasks all;
  std::array<quiet_event, 2> events;
  task_core* sleeper = nullptr;
  bool is_over = false;

  struct both_wait : bare_wait {
    const nudges* in;
    explicit both_wait(const nudges& of) : in{&of} {}
    bool poll() noexcept { return looks() > 0 && in->events[0].seen() && in->events[1].seen(); }
  };

  static task<> body(nudges& in) {
    both_wait operation{in};
    co_await operation;
    in.is_over = true;
  }

  void before() {
    sleeper = &all.start_on_thread(0, &body, std::ref(*this));
    sleeper->detach();
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index > 0) {
      events[index - 1].happen();
      sleeper->nudge();
    }
    all.run_ready();
  }
  void after() {
    check(is_over, "what came before a nudge is seen by a look that follows");
    check(all.alive() == 0, "each task ends");
  }
};

// Where tasks never run: for cells that belong to another runtime.
class idle_executor final : public executor {
public:
  void schedule(job&) noexcept override { check(false, "a task of another runtime is left alone"); }
  void schedule_back(job& ready) noexcept override { schedule(ready); }
  void count_foreign_spawn() noexcept override {}
  [[nodiscard]] pal::clock& clock() const noexcept override { return pal::real_clock(); }
};

// A cell gets a new tenant, while somebody has a key of the old one.
struct new_tenant : scenario<new_tenant, 2> {
  static constexpr const char* name = "new_tenant";

  tasks all;
  quiet_event event;
  task_core* cell = nullptr;
  waker former_key;
  waker key;
  bool is_over = false;

  static task<> end_at_once() { co_return; }
  static task<> body(new_tenant& in) {
    sure_wait operation{in.event};
    co_await operation;
    in.is_over = true;
  }

  void before() {
    cell = &all.start_on_thread(0, &end_at_once);
    former_key = cell->current_waker();
    cell->request_stop();
    cell->detach();
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 1) {
      former_key.wake();
      all.run_ready();
      return;
    }
    all.run_ready();
    task_core& next = all.start_on_thread(0, &body, std::ref(*this));
    check(&next == cell, "the cell is used again");
    key = next.current_waker();
    next.detach();
    all.run_ready();
    event.happen();
    key.wake();
    all.run_ready();
  }
  void after() {
    check(is_over, "the next task is not stopped with the former one");
    check(all.alive() == 0, "each task ends");
  }
};

// A walk over the cells of one runtime, while a cell goes to a task of another.
struct walk : scenario<walk, 2> {
  static constexpr const char* name = "walk";

  tasks all;
  idle_executor other;
  task_core* cell = nullptr;
  task_core* next = nullptr;

  static task<> end_at_once() { co_return; }

  void before() {
    cell = &all.start_on_thread(0, &end_at_once);
    cell->detach();
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 1) {
      cell->request_stop_on(all);
      return;
    }
    all.run_ready();
    next = &task_core::create(other, std::source_location{});
    check(next == cell, "the cell is used again");
  }
  void after() {
    check(!next->stop_requested(), "a task of another runtime is left alone");
    next->destroy();
    check(all.alive() == 0, "each task ends");
  }
};

// A report of the tasks of one runtime, while a cell comes to it from another.
struct report : scenario<report, 2> {
  static constexpr const char* name = "report";

  tasks all;
  idle_executor other;
  task_core* cell = nullptr;
  plain<int> actor;  // That the task works for.
  std::source_location elsewhere;
  std::source_location here;

  void before() {
    elsewhere = std::source_location::current();
    here = std::source_location::current();
    cell = &task_core::create(other, elsewhere);
    cell->destroy();
  }
  void thread(unsigned index) {
    if (index == 1) {
      task_core::for_each_live(all, [&](task_core&, const task_core::record& seen) {
        check(seen.spawned_at.line() == here.line(), "a report tells of tasks of its runtime");
        if (seen.works_for == nullptr) return;
        check(reinterpret_cast<plain<int>*>(seen.works_for)->read() == 1,
              "an actor is seen as it was made");
      });
      return;
    }
    cell = &task_core::create(all, here);
    actor.write(1);
    cell->works_for(reinterpret_cast<detail::actor_block*>(&actor));
  }
  void after() {
    cell->destroy();
    check(all.alive() == 0, "each task ends");
  }
};

// A walk along the actors that handlers wait for: the task waits for one, then for something else.
struct awaited : scenario<awaited, 2> {
  static constexpr const char* name = "awaited";

  struct actor {
    plain<int> content;
  };

  tasks all;
  quiet_event event;
  task_core* sleeper = nullptr;
  waker key;
  actor other;
  bool is_over = false;

  [[nodiscard]] detail::actor_block* as_block() {
    return reinterpret_cast<detail::actor_block*>(&other);
  }

  static task<> body(awaited& in) {
    in.other.content.write(1);
    in.sleeper->wait_for(in.as_block());
    sure_wait first{in.event};
    co_await first;
    in.sleeper->wait_for(nullptr);
    sure_wait second{in.event};
    in.key = in.sleeper->current_waker();
    co_await second;
    in.is_over = true;
  }

  void before() {
    sleeper = &all.start_on_thread(0, &body, std::ref(*this));
    key = sleeper->current_waker();
    sleeper->detach();
  }
  void thread(unsigned index) {
    tasks::work_here();
    if (index == 1) {
      std::uint64_t wait = sleeper->present_wait();
      detail::actor_block* seen = sleeper->awaited();
      if (seen != nullptr) {
        check(reinterpret_cast<actor*>(seen)->content.read() == 1, "an actor is seen as made");
      }
      check(wait < 2 || seen == nullptr, "a wait is not seen with the actor of an earlier one");
      return;
    }
    all.run_ready();
    event.happen();
    for (int i = 0; i < 2; ++i) {
      key.wake();
      all.run_ready();
    }
  }
  void after() {
    check(is_over, "who is woken goes on");
    check(all.alive() == 0, "each task ends");
  }
};

// The end of a runtime: a task that sleeps is retired, unless a thread that is none of its workers
// has claimed it; then that comes with the task.
struct retire : scenario<retire, 2> {
  static constexpr const char* name = "retire";

  tasks all;
  quiet_event event;
  task_core* sleeper = nullptr;
  waker key;
  pal::mutex mutex;
  task_core* queued = nullptr;
  bool is_retired = false;

  static task<> body(retire& in) {
    sure_wait operation{in.event};
    co_await operation;
  }

  void before() {
    sleeper = &all.start_on_thread(0, &body, std::ref(*this));
    tasks::work_here();
    all.run_on(0);
    key = sleeper->current_waker();
  }
  void thread(unsigned index) {
    if (index == 1) {
      if (task_core* claimed = key.claim()) {
        pal::lock guard{mutex};
        check(!is_retired, "a retired task is not claimed");
        queued = claimed;
      }
      return;
    }
    do {
      {
        pal::lock guard{mutex};
        if (queued != nullptr) std::exchange(queued, nullptr)->retire();
      }
      give_way();
    } while (!sleeper->retire_suspended());
    {
      pal::lock guard{mutex};
      is_retired = true;
    }
  }
  void after() {
    check(queued == nullptr, "who has claimed a task has brought it in");
    check(!key.wake(), "a retired task is out of reach");
    sleeper->abandon();
    sleeper->detach();
    check(all.alive() == 0, "each task ends");
  }
};

}  // namespace

}  // namespace troupe::model

int main(int argc, char** argv) {
  using namespace troupe::model;
  return run<one_wake, two_wakers, wake_and_stop, shielded, nudges, new_tenant, walk, report,
             awaited, retire>("wake_word", argc, argv);
}
