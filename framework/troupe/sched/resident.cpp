#include <troupe/sched/resident.hpp>

#include <utility>

#include <troupe/pal/mutex.hpp>
#include <troupe/sched/scheduler.hpp>

namespace troupe::inline v0_1 {

namespace {

// One for all, since the scheduler of a resident that leaves may be ending at that moment.
pal::mutex& settling() noexcept {
  static pal::mutex lock;
  return lock;
}

}  // namespace

void resident::settle(scheduler& where) noexcept {
  pal::lock guard{settling()};
  TROUPE_ASSERT(home_ == nullptr);
  where.add_guard();
  where.residents_.push_back(*this);
  home_ = &where;
}

void resident::leave() noexcept {
  pal::lock guard{settling()};
  if (home_ == nullptr) return;
  intrusive_list<resident>::erase(*this);
  std::exchange(home_, nullptr)->remove_guard();
}

void scheduler::tell_residents() noexcept {
  pal::lock guard{settling()};
  residents_.for_each([](resident& each) { each.workers_ended(); });
}

bool scheduler::give_to_resident(job& left) noexcept {
  pal::lock guard{settling()};
  bool is_taken = false;
  residents_.for_each([&](resident& each) { is_taken = is_taken || each.took_back(left); });
  return is_taken;
}

void scheduler::evict_residents() noexcept {
  pal::lock guard{settling()};
  while (resident* each = residents_.pop_front()) {
    each->home_ = nullptr;
    each->scheduler_ended();
  }
}

}  // namespace troupe::inline v0_1
