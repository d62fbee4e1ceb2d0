// Parking and waking: the scheduler and its workers as they are, without timers and tasks, and with
// I/O of one event: framework/troupe/sched/, docs/protocols/idle_set.md.
//
// The workers' threads are threads of the model, and one more thread brings jobs from outside. Each
// job is run once; when there are none left, and nobody holds a guard, quiescence is told, and not
// before; and all threads end when they are stopped. A wake that is lost is a deadlock.
//
// Not seen: how long anything takes, since a timed sleep may end at once; what is different with
// more workers than cores; jobs that are posted to one worker.

#include <model/model.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <troupe/base/log.hpp>
#include <troupe/pal/parker.cpp>
#include <troupe/sched/alarms.cpp>
#include <troupe/sched/blocking_pool.cpp>
#include <troupe/sched/detail/idle_set.cpp>
#include <troupe/sched/detail/timer_wheel.cpp>
#include <troupe/sched/detail/worker.cpp>
#include <troupe/sched/detail/worker_idle.cpp>
#include <troupe/sched/resident.cpp>
#include <troupe/sched/scheduler.cpp>
#include <troupe/task/core.cpp>
#include <troupe/task/failure.cpp>

// Nothing here has a reason to log.
void troupe::log(log_level, std::string_view) { model::check(false, "something is logged"); }

namespace troupe::pal {

// In place of random.cpp: each schedule is to be one of its own choices alone.
std::uint64_t entropy() noexcept { return 1; }

}  // namespace troupe::pal

namespace troupe::model {

namespace {

template <class Derived, int Workers>
struct parking_scenario : scenario<Derived, Workers + 1> {
  struct piece : job {
    piece() : job{&piece::run_it} {}

    static void run_it(job& self) noexcept {
      auto& mine = static_cast<piece&>(self);
      check(mine.content.read() == 1, "a job runs after its giver has written it");
      mine.content.write(2);
      mine.act(*mine.owner, mine);
      ++mine.runs;
    }

    parking_scenario* owner = nullptr;
    void (*act)(parking_scenario&, piece&) = [](parking_scenario&, piece&) {};
    plain<int> content;
    int given = 0;
    int runs = 0;
  };

  threads workers;
  std::unique_ptr<scheduler> where;
  std::array<piece, 3> jobs;
  pal::parker told, ran;
  bool guarded = true;  // What is so, whoever knows it.

  void before() {
    thread_values.add(detail::current_context_pointer);
    for (auto& each : jobs) each.owner = this;
    makes_atomics_lazily = true;
    scheduler_config config;
    config.workers = Workers;
    config.clock = &pal::real_clock();
    config.io = static_cast<Derived*>(this)->make_driver();
    config.on_quiescent = [this](std::size_t) { on_quiescent(); };
    where = std::make_unique<scheduler>(std::move(config));
    makes_atomics_lazily = false;
    where->add_guard();
  }

  // null: the scheduler makes one, without I/O.
  std::unique_ptr<driver> make_driver() { return nullptr; }
  // What still comes when there is no guard any more.
  void happen() {}

  void on_quiescent() {
    check(!guarded, "quiescence is not told while there is a guard");
    for (const auto& each : jobs) {
      check(each.runs == each.given, "quiescence is not told before all jobs have run");
    }
    told.unpark();
  }

  void give(piece& fresh, unsigned most = 200) {
    linger(most);
    fresh.content.write(1);
    ++fresh.given;
    where->schedule(fresh);
  }

  // Gives a job and waits until it has run: nothing else wakes a worker meanwhile.
  void give_and_wait(piece& fresh) {
    fresh.act = [](parking_scenario& self, piece&) { self.ran.unpark(); };
    give(fresh);
    ran.park(std::nullopt);
  }

  // What the thread outside does when it has brought its jobs.
  void leave() {
    guarded = false;
    where->remove_guard();
    static_cast<Derived*>(this)->happen();
    told.park(std::nullopt);
    where->stop_workers();
  }

  void thread(unsigned index) {
    if (index < Workers) return workers.run(index);
    static_cast<Derived*>(this)->outside();
    leave();
  }

  void after() {
    where.reset();
    for (const auto& each : jobs) check(each.runs == each.given, "each job runs once");
  }
};

// A worker, and jobs from outside.
struct one_worker : parking_scenario<one_worker, 1> {
  static constexpr const char* name = "one_worker";

  void outside() {
    give_and_wait(jobs[0]);
    give(jobs[1]);
  }
};

// Two workers, of which one waits in the driver.
struct two_workers : parking_scenario<two_workers, 2> {
  static constexpr const char* name = "two_workers";

  void outside() {
    give_and_wait(jobs[0]);
    give_and_wait(jobs[1]);
  }
};

// The guard goes with the job: a worker that has seen all others idle must not take one that has
// the job by now for an idle one.
struct last_job : parking_scenario<last_job, 2> {
  static constexpr const char* name = "last_job";

  void outside() {
    jobs[0].act = [](parking_scenario&, piece&) { linger(100); };
    give(jobs[0], 70);  // When the workers are about to go to sleep.
  }
};

// One thread's standing still within the code under test. That at random, of all schedules, hardly
// ever comes just there.
class standstill {
public:
  standstill() { current_ = this; }
  standstill(const standstill&) = delete;
  standstill& operator=(const standstill&) = delete;
  ~standstill() { current_ = nullptr; }

  // That thread stands still before one of its next `soon` steps, for up to `most` of all steps.
  void begin_within(rl::thread_id_t thread, unsigned soon, unsigned most) {
    if (!rl::ctx().is_random_sched()) return;
    thread_ = thread;
    steps_before_ = choose(soon);
    left_ = choose(most);
  }

  // Returns: whether `next` has to let another thread go on.
  [[nodiscard]] static bool holds(rl::thread_id_t next) {
    return current_ != nullptr && next == current_->thread_ && current_->passes_over();
  }

private:
  bool passes_over() {
    if (steps_before_ > 0) {
      --steps_before_;
      return false;
    }
    if (left_ == 0) return false;
    --left_;
    return true;
  }

  static inline standstill* current_ = nullptr;

  rl::thread_id_t thread_ = 0;
  unsigned steps_before_ = 0;
  unsigned left_ = 0;
};

// One of Relacy's schedulers, which keeps to the scenario's standstill.
template <class Base>
struct with_standstill : watched<Base> {
  using watched<Base>::watched;

  rl::thread_id_t schedule(rl::unpark_reason& reason, unsigned yield) {
    rl::thread_id_t next = watched<Base>::schedule(reason, yield);
    while (reason == rl::unpark_reason_normal && this->running_threads_count > 1 &&
           standstill::holds(next)) {
      next = watched<Base>::schedule(reason, yield);
    }
    return next;
  }
};

template <class Scenario>
rl::test_result_e simulate_standstill(rl::test_params& params, rl::ostringstream& state) {
  using scheduler = with_standstill<rl::random_scheduler<Scenario::params::thread_count>>;
  return rl::run_test<Scenario, scheduler>(params, state, params.collect_history);
}

// I/O of one event at a time, which its owner answers with a job, as whoever is in the driver.
template <class Owner>
struct event_driver final : driver {
  explicit event_driver(Owner& of) : owner{of} {}

  void wait(std::optional<time_point> until) override {
    if (!handle()) sleeper.park(until);
    (void)handle();
  }
  void poll(std::size_t) override { (void)handle(); }
  void interrupt() noexcept override { sleeper.unpark(); }

  void happen() {
    has_happened.store(true, std::memory_order_release);
    interrupt();
  }
  bool handle() {
    if (!has_happened.exchange(false, std::memory_order_acquire)) return false;
    owner.on_event();
    return true;
  }

  Owner& owner;
  pal::parker sleeper;
  pal::atomic<bool> has_happened{false};
};

template <class Derived, int Workers>
struct event_scenario : parking_scenario<Derived, Workers> {
  event_driver<Derived>* io = nullptr;

  std::unique_ptr<driver> make_driver() {
    auto made = std::make_unique<event_driver<Derived>>(static_cast<Derived&>(*this));
    io = made.get();
    return made;
  }
};

// A worker that waits in the driver gets a job there, and leaves the idle set by itself, while
// another one looks whether anything is left.
template <class Derived, int Workers>
struct io_job_among : event_scenario<Derived, Workers> {
  using base = parking_scenario<Derived, Workers>;
  using piece = typename base::piece;

  void outside() {
    this->jobs[0].act = [](base& self, piece&) {
      ++self.jobs[1].given;  // It will come.
      detail::current_context()->io_waits.increment();
      self.ran.unpark();
    };
    this->give(this->jobs[0]);
    this->ran.park(std::nullopt);
    this->jobs[1].act = [](base&, piece&) {
      // As io::wait_count does, in the turn of who has waited.
      detail::current_context()->io_wakes.increment();
      linger(50);
    };
  }
  void happen() { this->io->happen(); }
  void on_event() {
    this->jobs[1].content.write(1);
    this->where->schedule(this->jobs[1]);
  }
};

struct io_job : io_job_among<io_job, 2> {
  static constexpr const char* name = "io_job";
};
// The third one may watch: then who leaves wakes nobody, and is seen to have left all the same.
struct io_job_watched : io_job_among<io_job_watched, 3> {
  static constexpr const char* name = "io_job_watched";
};

// What the driver has put into its worker's slot is stolen by a watcher, and has run, before that
// worker is done with putting it there: who went idle last saw it in the slot still. The third one
// is idle by then, since the watcher would wake the driver's worker otherwise, which would look.
struct stolen_from_driver : event_scenario<stolen_from_driver, 3> {
  static constexpr const char* name = "stolen_from_driver";

  pal::parker turn;
  standstill someone;

  void outside() {
    jobs[0].act = [](parking_scenario& self, piece&) {
      ++self.jobs[1].given;  // It will come.
      detail::current_context()->io_waits.increment();
      self.ran.unpark();
      linger(100);  // Until another one watches.
      static_cast<stolen_from_driver&>(self).turn.unpark();
    };
    jobs[1].act = [](parking_scenario&, piece&) {
      detail::current_context()->io_wakes.increment();
    };
    give(jobs[0]);
    ran.park(std::nullopt);
  }
  void happen() {
    turn.park(std::nullopt);
    linger(100);  // Until that one is idle, too.
    io->happen();
  }
  void on_event() {
    jobs[1].content.write(1);
    someone.begin_within(rl::ctx().current_thread(), 4, 500);
    where->schedule(jobs[1]);
  }
};

// A job comes out of the driver that nothing counts any more, as a timer's: only that it lies with
// a worker, or that one has left, shows that it is still to run. A guard stands in for the timer.
struct uncounted_job : event_scenario<uncounted_job, 3> {
  static constexpr const char* name = "uncounted_job";

  standstill someone;

  void outside() {
    where->add_guard();
    ++jobs[1].given;  // It will come.
    jobs[0].act = [](parking_scenario& self, piece&) {
      self.ran.unpark();
      linger(100);  // Until another one watches.
      static_cast<uncounted_job&>(self).io->happen();
      linger(50);
    };
    give(jobs[0]);
    ran.park(std::nullopt);
  }
  void on_event() {
    jobs[1].content.write(1);
    where->schedule_back(jobs[1]);
    someone.begin_within(static_cast<rl::thread_id_t>(choose(3)), 80, 500);
    where->remove_guard();
  }
};

// A job lies behind the turn that has made it, and which does not end before that job has run: the
// other worker has to come, from whatever it waits in.
template <class Derived, bool InSlot>
struct behind_turn : parking_scenario<Derived, 2> {
  using base = parking_scenario<Derived, 2>;
  using piece = typename base::piece;

  pal::parker turn;

  void outside() {
    this->jobs[0].act = [](base& self, piece&) {
      auto& mine = static_cast<behind_turn&>(self);
      piece& behind = mine.jobs[1];
      behind.act = [](base& other, piece&) { static_cast<behind_turn&>(other).turn.unpark(); };
      linger(500);
      behind.content.write(1);
      ++behind.given;
      InSlot ? mine.where->schedule(behind) : mine.where->schedule_back(behind);
      mine.turn.park(std::nullopt);
    };
    this->give(this->jobs[0]);
  }
};

struct behind_in_slot : behind_turn<behind_in_slot, true> {
  static constexpr const char* name = "behind_in_slot";
};
struct behind_in_queue : behind_turn<behind_in_queue, false> {
  static constexpr const char* name = "behind_in_queue";
};

// The job behind the turn is needed by a second turn, too: who begins that one may have been the
// watcher, or was called to be it, and has to see to it that the third worker watches.
template <class Derived, bool ByDriver>
struct behind_two_turns_by : event_scenario<Derived, 3> {
  using base = parking_scenario<Derived, 3>;
  using piece = typename base::piece;

  std::array<pal::parker, 2> turns;
  standstill someone;

  void outside() {
    auto& [first, behind, second] = this->jobs;
    first.act = [](base& self, piece&) {
      linger(200);
      self.jobs[1].content.write(1);
      ++self.jobs[1].given;
      self.where->schedule(self.jobs[1]);
      static_cast<behind_two_turns_by&>(self).turns[0].park(std::nullopt);
    };
    behind.act = [](base& self, piece&) {
      for (auto& each : static_cast<behind_two_turns_by&>(self).turns) each.unpark();
    };
    second.act = [](base& self, piece&) {
      static_cast<behind_two_turns_by&>(self).turns[1].park(std::nullopt);
      self.ran.unpark();
    };
    someone.begin_within(static_cast<rl::thread_id_t>(choose(3)), 40, 500);
    this->give(first);
    if (ByDriver) {
      linger(400);
      this->io->happen();
    } else {
      this->give(second, 400);
    }
    this->ran.park(std::nullopt);  // Nothing else wakes a worker meanwhile.
  }
  void on_event() {
    piece& second = this->jobs[2];
    second.content.write(1);
    ++second.given;
    this->where->schedule(second);
  }
};

struct behind_two_turns : behind_two_turns_by<behind_two_turns, false> {
  static constexpr const char* name = "behind_two_turns";
};
struct behind_turn_and_driver : behind_two_turns_by<behind_turn_and_driver, true> {
  static constexpr const char* name = "behind_turn_and_driver";
};

// The turn of a job that comes out of the driver ends only when the next event has been handled:
// who leaves the driver has to see to it that another one comes for it.
struct driver_behind_turn : event_scenario<driver_behind_turn, 2> {
  static constexpr const char* name = "driver_behind_turn";

  pal::parker turn;
  unsigned events = 0;  // By who is in the driver.

  void outside() {
    jobs[0].act = [](parking_scenario& self, piece&) {
      auto& mine = static_cast<driver_behind_turn&>(self);
      mine.io->happen();
      mine.turn.park(std::nullopt);
      self.ran.unpark();
    };
    jobs[1].act = [](parking_scenario& self, piece&) {
      static_cast<driver_behind_turn&>(self).turn.unpark();
    };
    linger(500);
    io->happen();
    ran.park(std::nullopt);
  }
  void on_event() {
    piece& fresh = jobs[events++];
    fresh.content.write(1);
    ++fresh.given;
    where->schedule(fresh);
  }
};

}  // namespace

// Those that have a standstill.
template <>
rl::test_result_e simulate<stolen_from_driver, rl::random_scheduler>(rl::test_params& params,
                                                                     rl::ostringstream& state) {
  return simulate_standstill<stolen_from_driver>(params, state);
}
template <>
rl::test_result_e simulate<uncounted_job, rl::random_scheduler>(rl::test_params& params,
                                                                rl::ostringstream& state) {
  return simulate_standstill<uncounted_job>(params, state);
}
template <>
rl::test_result_e simulate<behind_two_turns, rl::random_scheduler>(rl::test_params& params,
                                                                   rl::ostringstream& state) {
  return simulate_standstill<behind_two_turns>(params, state);
}
template <>
rl::test_result_e simulate<behind_turn_and_driver, rl::random_scheduler>(rl::test_params& params,
                                                                         rl::ostringstream& state) {
  return simulate_standstill<behind_turn_and_driver>(params, state);
}

}  // namespace troupe::model

int main(int argc, char** argv) {
  using namespace troupe::model;
  return run<one_worker, two_workers, last_job, io_job, io_job_watched, stolen_from_driver,
             uncounted_job, behind_in_slot, behind_in_queue, behind_two_turns,
             behind_turn_and_driver, driver_behind_turn>("parking", argc, argv);
}
