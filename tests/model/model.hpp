#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <iterator>
#include <ostream>
#include <source_location>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <model/barriers.hpp>
#include <model/clock.hpp>
#include <model/futexes.hpp>
#include <model/kept_mutexes.hpp>
#include <model/relacy.hpp>
#include <model/sites.hpp>

#include <model/shim/troupe/pal/atomic.hpp>
#include <model/shim/troupe/pal/barrier.hpp>
#include <model/shim/troupe/pal/condition.hpp>
#include <model/shim/troupe/pal/detail/futex.hpp>
#include <model/shim/troupe/pal/mutex.hpp>
#include <model/shim/troupe/pal/thread.hpp>

#include <troupe/version.hpp>

/// What the models of the lock-free protocols are made of; see docs/testing.md.
namespace troupe::model {

/// Data that no atomic guards: whose writes and reads must be ordered by the protocol under test.
/// An unordered pair of them is a data race, which ends the model.
template <class T>
class plain {
public:
  plain() = default;
  explicit plain(T value) : value_{value} {}

  [[nodiscard]] T read(std::source_location where = std::source_location::current()) const {
    return value_(info_of(where)).load();
  }
  void write(T value, std::source_location where = std::source_location::current()) {
    value_(info_of(where)).store(value);
  }

private:
  rl::var<T> value_;
};

/// Ends the model with a violation if `condition` does not hold.
inline void check(bool condition, const char* what,
                  std::source_location where = std::source_location::current()) {
  if (condition) return;
  rl::ctx().fail_test(what, rl::test_result_user_assert_failed, info_of(where));
}

/// Returns: a number below `limit`, of this schedule's choice.
inline unsigned choose(unsigned limit) { return rl::rand(limit); }

/// Lets the other threads go on: what a loop that waits for another thread calls in each round.
inline void give_way(std::source_location where = std::source_location::current()) {
  rl::ctx().yield(1, info_of(where));
}

/// How many threads could have had the last step: they run, or sleep until a time.
inline int threads_awake = 0;

/// Lets up to `most` steps of other threads go by. Where those take many steps to a state, such as
/// sleep, a thread of few would nearly always come before: schedules are chosen step by step.
inline void linger(unsigned most) {
  if (!rl::ctx().is_random_sched()) return;  // That one tries all ways of coming later by itself.
  for (unsigned steps = choose(most); steps > 0; --steps) {
    rl::ctx().sched();
    if (threads_awake == 1) return;
  }
}

/// What one thread has of its own although all run on one: values of thread_local variables, which
/// change hands whenever another thread goes on.
class own_values {
public:
  /// Gives each thread of the model a value of `variable` of its own; at first, what it is now. To
  /// be called by before().
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void add(T& variable) {
    static_assert(sizeof(T) <= sizeof(std::uintptr_t));
    entry& fresh = entries_.emplace_back(
        entry{[](void* of, const void* value) { std::memcpy(of, value, sizeof(T)); },
              [](void* value, const void* of) { std::memcpy(value, of, sizeof(T)); },
              &variable,
              {}});
    for (auto& each : fresh.values) fresh.save(&each, &variable);
  }

  void swap(rl::thread_id_t from, rl::thread_id_t to) {
    if (from == to) return;
    for (auto& each : entries_) {
      each.save(&each.values[static_cast<std::size_t>(from)], each.variable);
      each.restore(each.variable, &each.values[static_cast<std::size_t>(to)]);
    }
  }

  void clear() { entries_.clear(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }

private:
  struct entry {
    void (*restore)(void* variable, const void* value);
    void (*save)(void* value, const void* variable);
    void* variable;
    std::array<std::uintptr_t, barriers::max_threads> values;
  };
  // Not of Relacy's heap, which must be empty at the end of each schedule.
  std::vector<entry, rl::raw_allocator<entry>> entries_;
};

inline own_values thread_values;

/// A test of Relacy: Derived has thread(unsigned) and a static `name`, and may have before() and
/// after(). It is made anew for each schedule, and must free all that it allocates.
template <class Derived, int Threads>
struct scenario : rl::test_suite<Derived, Threads> {
  static_assert(Threads <= static_cast<int>(barriers::max_threads));

  scenario() {
    clock_of_model.start();
    set_unseen = [](rl::atomic_data* data) {
      for (auto& value : static_cast<rl::atomic_data_impl<Threads>*>(data)->history_) {
        for (auto& each : value.first_seen_order_) each = static_cast<rl::timestamp_t>(-1);
      }
    };
  }

private:
  struct last_act {
    ~last_act() { kept_mutex::end_all(); }
  };

  barriers barriers_;
  futexes futexes_;
  last_act last_;
};

/// One of Relacy's schedulers, which stops after as many schedules as are asked for, and hands over
/// the values of thread_local variables. In every other schedule that is chosen at random one
/// thread stands still for a while: step by step it would hardly ever fall far behind.
template <class Base>
class watched : public Base {
public:
  watched(rl::test_params& params, typename Base::shared_context_t& shared, rl::thread_id_t dynamic)
      : Base{params, shared, dynamic}, last_{params.iteration_count} {}

  rl::thread_id_t iteration_begin(rl::iteration_t number) {
    thread_values.clear();
    rl::thread_id_t first = Base::iteration_begin(number);
    if (this->params_.search_type == rl::sched_random) plan_pause();
    return first;
  }
  bool iteration_end() {
    bool over = this->iter_ >= last_;
    return Base::iteration_end() || over;
  }
  rl::thread_id_t schedule(rl::unpark_reason& reason, unsigned yield) {
    rl::thread_id_t before = this->thread_->index_;
    threads_awake = this->running_threads_count + this->timed_thread_count_;
    rl::thread_id_t next = Base::schedule(reason, yield);
    bool is_pause = step_ >= pause_begin_ && step_ < pause_end_;
    ++step_;
    while (is_pause && next == paused_ && reason == rl::unpark_reason_normal &&
           this->running_threads_count > 1) {
      next = Base::schedule(reason, yield);
    }
    if (!thread_values.empty()) thread_values.swap(before, next);
    return next;
  }

private:
  // Short and long ones alike, early and late.
  void plan_pause() {
    step_ = pause_begin_ = pause_end_ = 0;
    if (draw(2) == 0) return;
    paused_ = static_cast<rl::thread_id_t>(draw(static_cast<unsigned>(std::size(this->threads_))));
    pause_begin_ = draw(1U << draw(most_doublings));
    pause_end_ = pause_begin_ + draw(1U << draw(most_doublings));
  }
  unsigned draw(unsigned limit) { return this->rand(limit, rl::sched_type_user); }

  static constexpr unsigned most_doublings = 10;  // So many steps are 2 ^ 9.

  rl::iteration_t last_;
  rl::thread_id_t paused_ = 0;
  unsigned step_ = 0;
  unsigned pause_begin_ = 0;
  unsigned pause_end_ = 0;
};

inline constexpr unsigned max_steps = 10'000;  ///< Of a schedule; one that is longer is a livelock.

struct options {
  std::uint64_t schedules = 100'000;
  std::uint64_t seed = 1;  ///< The number of the first schedule.
  bool bound = false;      ///< By the context-bound scheduler.
  unsigned switches = 2;   ///< Of that one, at most.
  bool history = false;    ///< Of a violation: print all its steps.
  bool listing = false;    ///< Print the scenarios' names only.
  std::string only;        ///< A scenario's name.
};

struct outcome {
  std::uint64_t schedules = 0;  ///< With a violation, the number of the one that shows it.
  double seconds = 0;
  std::string violation;  ///< Empty if there was none.
};

template <class Scenario, template <rl::thread_id_t> class Scheduler>
rl::test_result_e simulate(rl::test_params& params, rl::ostringstream& state) {
  using scheduler = watched<Scheduler<Scenario::params::thread_count>>;
  return rl::run_test<Scenario, scheduler>(params, state, params.collect_history);
}

template <class Scenario>
outcome run_scenario(const options& chosen) {
  auto simulate_once = [&](rl::test_params& params, rl::ostringstream& state) {
    return chosen.bound ? simulate<Scenario, rl::context_bound_scheduler>(params, state)
                        : simulate<Scenario, rl::random_scheduler>(params, state);
  };
  kept_mutex::forget_all();
  rl::ostringstream log;  // Not of Relacy's heap, of which this would be no part later.
  rl::test_params params;
  params.execution_depth_limit = max_steps;
  params.output_stream = &log;
  params.progress_stream = &log;
  params.search_type = chosen.bound ? rl::sched_bound : rl::sched_random;
  params.context_bound = chosen.switches;
  params.iteration_count = chosen.seed + chosen.schedules - 1;
  if (!chosen.bound && chosen.seed != 1) params.initial_state = std::to_string(chosen.seed);
  auto start = std::chrono::steady_clock::now();
  rl::ostringstream state;
  rl::test_result_e result = simulate_once(params, state);
  outcome found;
  found.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (result == rl::test_result_success) {
    found.schedules = params.stop_iteration - chosen.seed + 1;
    return found;
  }
  found.schedules = params.stop_iteration;
  log.str("");
  kept_mutex::forget_all();
  params.collect_history = true;  // Once more, for the text.
  params.initial_state = state.str();
  rl::ostringstream unused;
  simulate_once(params, unused);
  if (chosen.history) std::cerr << log.str();
  rl::string text = log.str();
  found.violation.assign(text.data(), std::min(text.size(), text.find('\n')));
  return found;
}

/// Runs the scenarios and prints a line of JSON for each. Returns: the process's code.
int run(const char* model, int argc, char** argv,
        std::initializer_list<std::pair<const char*, outcome (*)(const options&)>> scenarios);

template <class... Scenarios>
int run(const char* model, int argc, char** argv) {
  return run(model, argc, argv, {{Scenarios::name, &run_scenario<Scenarios>}...});
}

}  // namespace troupe::model

#include <model/program.hpp>
