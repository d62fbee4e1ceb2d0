#include <troupe/caf/detail/neighbours.hpp>

#include <utility>

#include <caf/actor_cast.hpp>

#include <troupe/caf/detail/proxy.hpp>

namespace troupe::detail {

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
  return held;
}

}  // namespace troupe::detail
