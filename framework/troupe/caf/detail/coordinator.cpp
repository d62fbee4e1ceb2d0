#include <troupe/caf/detail/coordinator.hpp>

#include <algorithm>
#include <new>
#include <utility>

#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/logger.hpp>

#include <troupe/base/log.hpp>
#include <troupe/base/memory.hpp>
#include <troupe/pal/barrier.hpp>
#include <troupe/sched/blocking_pool.hpp>
#include <troupe/task/context.hpp>

namespace troupe::inline v0_1::detail {

namespace {

// CAF sets no limit: an actor that keeps itself busy would never give its worker back.
constexpr std::size_t full_budget = 100;
// Where more is to do, a turn goes on that long, like a task's: to come back after each hundred
// messages, behind actors with longer turns, lets a mailbox grow out of the cache.
constexpr duration longest_turn = std::chrono::milliseconds{1};
constexpr std::size_t max_spare_jobs = 64;

void forget_logger() noexcept { ::caf::logger::set_current_actor_system(nullptr); }

}  // namespace

// --- jobs and units ---

caf_job::caf_job(caf_coordinator& to, ::caf::resumable& whom) noexcept
    : job{&run_turn}, owner{to}, what{&whom} {}

void caf_job::run_turn(job& self) noexcept {
  auto& mine = static_cast<caf_job&>(self);
  mine.owner.run(mine);
}

caf_unit::caf_unit(caf_coordinator& owner) : execution_unit{&owner.system()}, owner_{owner} {}

caf_unit::~caf_unit() {
  while (spare_ != nullptr) deallocate(std::exchange(spare_, spare_->next), sizeof(caf_job));
}

void caf_unit::exec_later(::caf::resumable* ready) { owner_.enqueue(ready); }

caf_job& caf_unit::new_job(::caf::resumable& what) {
  void* room = spare_;
  if (room == nullptr) {
    room = allocate(sizeof(caf_job));
  } else {
    spare_ = spare_->next;
    --spare_count_;
  }
  return *new (room) caf_job{owner_, what};
}

void caf_unit::free_job(caf_job& done) noexcept {
  if (spare_count_ == max_spare_jobs) return deallocate(&done, sizeof(caf_job));
  done.next = std::exchange(spare_, &done);
  ++spare_count_;
}

caf_coordinator::visit::visit(caf_coordinator& by) noexcept
    : job{[](job& self) noexcept {
        auto& mine = static_cast<visit&>(self);
        forget_logger();
        mine.owner.finish(mine);
      }},
      owner{by} {}

/// Keeps home_ as it is, for one who is no worker. R1
class caf_coordinator::stay_outside {
public:
  explicit stay_outside(caf_coordinator& by) noexcept : by_{by} {
    by_.outside_.fetch_add(1, std::memory_order_seq_cst);  // -> workers_ended
  }
  stay_outside(const stay_outside&) = delete;
  stay_outside& operator=(const stay_outside&) = delete;
  ~stay_outside() { by_.outside_.fetch_sub(1, std::memory_order_release); }  // -> workers_ended

  /// Returns: the scheduler; null when the substitute is to be used.
  [[nodiscard]] troupe::scheduler* home() const noexcept {
    return by_.home_.load(std::memory_order_seq_cst);  // <- workers_ended
  }

private:
  caf_coordinator& by_;
};

// --- the coordinator's life ---

caf_coordinator::caf_coordinator(::caf::actor_system& system, troupe::scheduler& home)
    : abstract_coordinator{system}, home_{&home}, budget_{full_budget} {
  for (std::size_t i = 0; i < home.worker_count(); ++i) {
    units_.push_back(std::make_unique<caf_unit>(*this));
    visits_.push_back(std::make_unique<visit>(*this));
  }
  units_.push_back(std::make_unique<caf_unit>(*this));
  // Threads for blocking work use scoped actors; each would keep the system's logger until its end.
  home.blocking().after_each(&forget_logger);
  settle(home);
  stalls_.emplace([this] { return turns_while_jobs_wait(); });
}

caf_coordinator::~caf_coordinator() {
  stalls_.reset();
  if (has_started_) drain();  // Detached actors may have come after stop().
  leave();
}

void caf_coordinator::init(::caf::actor_system_config& config) {
  abstract_coordinator::init(config);
  num_workers_ = units_.size() - 1;
  budget_ = std::min(max_throughput_, full_budget);
}

void caf_coordinator::start() {
  has_started_ = true;
  clock_thread_ = pal::thread{[this] {
    pal::set_thread_name("troupe-caf-clk");
    clock_.run_dispatch_loop();
  }};
  abstract_coordinator::start();
}

void caf_coordinator::part() {
  std::vector<::caf::strong_actor_ptr> held = neighbours_->end_all();
  if (!held.empty()) visit_workers();  // Who has a handle at hand does without a reference.
}

void caf_coordinator::stop() {
  stop_actors();
  clock_.cancel_dispatch_loop();
  clock_thread_.join();
  clock_.simple_actor_clock::cancel_all();  // What is delayed keeps its actors.
  drain();
}

// From now on jobs are only cleaned up. Blocks until all of them are.
void caf_coordinator::drain() {
  stopping_.store(true, std::memory_order_relaxed);
  pal::heavy_barrier();  // R3
  {
    pal::lock guard{mutex_};
    changed_.wait(guard, [this] { return nothing_in_flight(); });
  }
  visit_workers();
}

// Blocks until each worker has ended the turn that it is in.
void caf_coordinator::visit_workers() {
  {
    stay_outside here{*this};
    if (troupe::scheduler* home = here.home()) {
      for (auto& each : visits_) each->is_done = false;
      for (std::size_t i = 0; i < visits_.size(); ++i) home->post_to(i, *visits_[i]);
    }
  }
  pal::lock guard{mutex_};
  changed_.wait(guard, [this] {
    return std::all_of(visits_.begin(), visits_.end(), [](auto& each) { return each->is_done; });
  });
}

void caf_coordinator::finish(visit& done) noexcept {
  pal::lock guard{mutex_};
  done.is_done = true;
  changed_.notify_all();  // Under the lock: the coordinator may be gone right after it.
}

bool caf_coordinator::nothing_in_flight() const noexcept {  // R2
  std::uint64_t ended = 0;
  for (auto& each : units_) ended += each->ended();
  std::uint64_t begun = begun_outside_.load(std::memory_order_acquire);
  for (auto& each : units_) begun += each->begun();
  return ended == begun;
}

std::optional<std::uint64_t> caf_coordinator::turns_while_jobs_wait() {
  stay_outside here{*this};
  troupe::scheduler* home = here.home();
  if (home == nullptr || nothing_in_flight()) return std::nullopt;
  return home->counters().turns;
}

// --- running ---

void caf_coordinator::enqueue(::caf::resumable* ready) {
  auto* here = troupe::scheduler::current();
  // The home of a worker stays as it is until the worker has ended.
  if (here == nullptr || here != home_.load(std::memory_order_relaxed)) {
    return enqueue_from_outside(*ready);
  }
  caf_unit& mine = *units_[troupe::scheduler::current_worker()];
  caf_job& turn = mine.new_job(*ready);
  mine.count_begun();
  here->schedule(turn);
  // Whoever is no CAF actor may have a scoped_actor wait for it.
  context& turn_here = *current_context();
  if (turn_here.current != nullptr || turn_here.actor != nullptr) stalls_->arm();
}

void caf_coordinator::enqueue_from_outside(::caf::resumable& ready) {
  stay_outside here{*this};
  auto& turn = *new (allocate(sizeof(caf_job))) caf_job{*this, ready};
  begun_outside_.fetch_add(1, std::memory_order_release);
  if (troupe::scheduler* home = here.home()) {
    home->schedule(turn);
  } else {
    substitute_->push(turn);
  }
}

void caf_coordinator::run(caf_job& turn) noexcept {
  context* here = current_context();
  here->begin_turn(nullptr);
  here->actor = nullptr;
  run_on(*units_[troupe::scheduler::current_worker()], turn);
}

void caf_coordinator::run_on(caf_unit& here, caf_job& turn) noexcept {
  if (stopping_.load(std::memory_order_relaxed)) {
    cleanup_and_release(turn.what);
  } else {
    if (!resume(here, *turn.what)) return queue_again(turn);
    ::caf::intrusive_ptr_release(turn.what);
  }
  here.free_job(turn);
  here.count_ended();
  pal::light_barrier();  // R3
  if (!stopping_.load(std::memory_order_relaxed)) return;
  pal::lock guard{mutex_};
  changed_.notify_all();  // R4
}

// Returns: false when it wants another turn.
bool caf_coordinator::resume(caf_unit& here, ::caf::resumable& what) noexcept {
  using result = ::caf::resumable::resume_result;
  if (what.resume(&here, budget_) != result::resume_later) return true;
  time_point began = pal::real_clock().now();
  do {
    if (what.resume(&here, budget_) != result::resume_later) return true;
  } while (pal::real_clock().now() - began < longest_turn);
  return false;
}

void caf_coordinator::queue_again(caf_job& turn) noexcept {
  if (auto* here = troupe::scheduler::current()) {
    here->schedule_back(turn);
  } else {
    substitute_->push(turn);
  }
}

// --- the end of the workers ---

void caf_coordinator::workers_ended() noexcept {
  substitute_.emplace([this](job& turn) {
    run_on(*units_.back(), static_cast<caf_job&>(turn));
    forget_logger();
  });
  home_.store(nullptr, std::memory_order_seq_cst);                            // R1 -> stay_outside
  while (outside_.load(std::memory_order_seq_cst) != 0) pal::yield_thread();  // <- stay_outside
  release_waiter();
}

bool caf_coordinator::took_back(job& left) noexcept {
  for (auto& each : visits_) {
    if (&left != each.get()) continue;
    finish(*each);
    return true;
  }
  if (left.run != &caf_job::run_turn || &static_cast<caf_job&>(left).owner != this) return false;
  substitute_->push(left);
  return true;
}

void caf_coordinator::scheduler_ended() noexcept {
  if (is_ending_.load(std::memory_order_relaxed)) return;
  log(log_level::warning,
      "a caf_system outlives its runtime: its CAF actors go on with one thread; await shut_down() "
      "before the runtime ends");
}

// --- waiting for CAF's actors ---

void caf_coordinator::await_actors() {
  {
    pal::lock guard{mutex_};
    if (home_.load(std::memory_order_relaxed) == nullptr) return;
    is_awaiting_ = true;
  }
  system().registry().await_running_count_equal(0);
  pal::lock guard{mutex_};
  is_awaiting_ = false;
  for (; borrowed_ < 0; ++borrowed_) system().registry().inc_running();
  for (; borrowed_ > 0; --borrowed_) system().registry().dec_running();
}

// CAF's wait has neither a limit nor an end but a count of 0: give it one.
void caf_coordinator::release_waiter() noexcept {
  auto& registry = system().registry();
  pal::lock guard{mutex_};
  while (is_awaiting_) {
    auto count = static_cast<std::ptrdiff_t>(registry.running());
    if (count <= 0) {
      registry.inc_running();
      ++borrowed_;
    }
    if (count >= 0) {
      registry.dec_running();  // To 0 it tells the waiter.
      --borrowed_;
    }
    guard.unlock();
    pal::yield_thread();
    guard.lock();
  }
}

}  // namespace troupe::inline v0_1::detail
