#include <troupe/caf/detail/neighbours.hpp>

#include <cstdint>
#include <utility>

#include <caf/actor_cast.hpp>

#include <troupe/caf/detail/proxy.hpp>
#include <troupe/pal/thread.hpp>

namespace troupe::inline v0_1::detail {

caf_hold::caf_hold(std::shared_ptr<caf_neighbours> among, const ::caf::actor& of)
    : among_{std::move(among)}, to_{::caf::actor_cast<::caf::strong_actor_ptr>(of).release()} {
  pal::lock guard{among_->mutex_};
  among_->holds_.push_back(*this);
}

caf_hold::~caf_hold() {
  ::caf::strong_actor_ptr held = take();  // Dropped without the lock: it may end the actor.
  pal::lock guard{among_->mutex_};
  if (linked()) intrusive_list<caf_hold>::erase(*this);
}

::caf::strong_actor_ptr caf_hold::take() noexcept {
  return {to_.exchange(nullptr, std::memory_order_acq_rel), false};
}

caf_pending::caf_pending(std::shared_ptr<caf_neighbours> among, caf_return_path&& back)
    : among_{std::move(among)}, back_{std::move(back)} {
  auto& list = among_->list_of(*this);
  std::optional<caf_return_path> dropped;
  pal::lock guard{list.mutex};
  if (list.is_closed) {
    dropped = std::exchange(back_, std::nullopt);
    guard.unlock();
  } else {
    list.waiting.push_back(*this);
  }
}

caf_pending::~caf_pending() {
  pal::lock guard{among_->list_of(*this).mutex};
  if (linked()) intrusive_list<caf_pending>::erase(*this);
}

void caf_pending::answer(::caf::message&& content) noexcept {
  auto& list = among_->list_of(*this);
  {
    pal::lock guard{list.mutex};
    if (!linked()) return;
    intrusive_list<caf_pending>::erase(*this);
    list.answering.fetch_add(1, std::memory_order_relaxed);
  }
  back_->answer(std::move(content));
  back_.reset();
  list.answering.fetch_sub(1, std::memory_order_release);  // -> end_requests
}

caf_neighbours::requests& caf_neighbours::list_of(const caf_pending& request) noexcept {
  auto bits = reinterpret_cast<std::uintptr_t>(&request);
  return requests_[((bits >> 6U) * 0x9e3779b97f4a7c15U) >> 60U];
}

void caf_neighbours::end_requests() {
  for (auto& list : requests_) {
    std::vector<caf_return_path> dropped;  // Without the lock: it may end actors.
    pal::lock guard{list.mutex};
    list.is_closed = true;
    while (caf_pending* each = list.waiting.pop_front()) {
      dropped.push_back(std::move(*each->back_));
      each->back_.reset();
    }
    guard.unlock();
    while (list.answering.load(std::memory_order_acquire) != 0) pal::yield_thread();  // <- answer
  }
}

void caf_neighbours::add(const ::caf::strong_actor_ptr& proxy) {
  pal::lock guard{mutex_};
  proxies_.emplace(proxy->get(), ::caf::weak_actor_ptr{proxy.get()});
}

void caf_neighbours::forget(const ::caf::abstract_actor& proxy) noexcept {
  ::caf::weak_actor_ptr dropped_last;
  pal::lock guard{mutex_};
  auto found = proxies_.find(&proxy);
  if (found == proxies_.end()) return;
  dropped_last = std::move(found->second);
  proxies_.erase(found);
  guard.unlock();
}

std::vector<::caf::strong_actor_ptr> caf_neighbours::end_all() {
  std::vector<::caf::strong_actor_ptr> held, proxies;
  {
    pal::lock guard{mutex_};
    for (auto& each : proxies_) {
      if (auto proxy = each.second.lock()) proxies.push_back(std::move(proxy));
    }
    while (caf_hold* each = holds_.pop_front()) held.push_back(each->take());
  }
  for (auto& each : proxies) {
    static_cast<caf_proxy&>(*each->get()).end_with_system();
  }
  end_requests();
  return held;
}

}  // namespace troupe::inline v0_1::detail
