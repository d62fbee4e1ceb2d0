#include <troupe/sched/on_each_worker.hpp>

#include <deque>
#include <memory>

#include <troupe/sched/scheduler.hpp>

namespace troupe::inline v0_1 {

namespace {

// Shared by the jobs and the waiting task: the last job looks at it after the task has gone on.
struct round {
  struct visit final : job {
    visit(std::shared_ptr<round> all, std::size_t worker)
        : job{&run_visit}, owner{std::move(all)}, index{worker} {}
    std::shared_ptr<round> owner;
    std::size_t index;
  };

  static void run_visit(job& self) noexcept {
    auto& mine = static_cast<visit&>(self);
    std::shared_ptr<round> owner = std::move(mine.owner);
    owner->act(mine.index);
    if (owner->left.fetch_sub(1, std::memory_order_acq_rel) == 1) owner->parent->nudge();
  }

  std::function<void(std::size_t)> act;
  detail::task_core* parent = nullptr;
  std::deque<visit> visits;
  pal::atomic<std::size_t> left{0};
};

class round_end {
public:
  static constexpr const char* name = "a visit to each worker";
  explicit round_end(round& awaited) noexcept : awaited_{awaited} {}
  // What `act` refers to may be gone after a stop: it must not run later.
  [[nodiscard]] bool shielded() const noexcept { return true; }
  bool poll() noexcept { return awaited_.left.load(std::memory_order_acquire) == 0; }
  bool enlist(waker) noexcept { return !poll(); }  // The last visit nudges the parent's cell.
  void delist() noexcept {}
  void take() noexcept {}

private:
  round& awaited_;
};

}  // namespace

task<> on_each_worker(std::function<void(std::size_t)> act) {
  scheduler& here = *scheduler::current();
  auto all = std::make_shared<round>();
  all->act = std::move(act);
  all->parent = detail::current_context()->current;
  all->left.store(here.worker_count(), std::memory_order_relaxed);
  for (std::size_t i = 0; i < here.worker_count(); ++i) all->visits.emplace_back(all, i);
  for (std::size_t i = 0; i < here.worker_count(); ++i) here.post_to(i, all->visits[i]);
  round_end end{*all};
  co_await end;
}

}  // namespace troupe::inline v0_1
