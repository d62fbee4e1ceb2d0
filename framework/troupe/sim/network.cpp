#include <troupe/sim/network.hpp>

#include <utility>
#include <vector>

#include <fmt/format.h>

#include <troupe/base/assert.hpp>
#include <troupe/sim/detail/connection.hpp>
#include <troupe/sim/detail/process.hpp>

namespace troupe::inline v0_1::sim {

using detail::connection;
using detail::machine;
using detail::wire;

network::network(detail::agenda& plan) : net_{std::make_shared<detail::fabric>(plan)} {}

network::~network() { net_->end(); }

const host& network::add_host(std::string name) { return net_->add(std::move(name)).self; }

const host* network::find_host(std::string_view name) const noexcept {
  const machine* found = net_->named(name);
  return found == nullptr ? nullptr : &found->self;
}

template <class Change>
void network::change(const host& a, const host& b, Change how) {
  how(net_->between(net_->of(a), net_->of(b)));
  if (&a != &b) how(net_->between(net_->of(b), net_->of(a)));
}

template <class Change>
void network::change_all(Change how) {
  how(net_->usual);
  for (const auto& from : net_->machines()) {
    for (const auto& to : net_->machines()) {
      if (from != to) how(net_->between(*from, *to));
    }
  }
}

void network::note(std::string_view what, const host& a, const host& b) const {
  net_->plan().note(fmt::format("network: {} {} {}", what, a.name(), b.name()));
}

void network::partition(const host& a, const host& b) {
  if (&a == &b) misuse("a host was to be parted from itself: name two [X09]");
  note("partition", a, b);
  change(a, b, [](wire& each) { each.is_parted = true; });
}

void network::cut(const host& from, const host& to) {
  if (&from == &to) misuse("a host was to be cut off from itself: name two [X10]");
  note("cut", from, to);
  net_->between(net_->of(from), net_->of(to)).is_parted = true;
}

void network::isolate(const host& a) {
  for (const auto& each : net_->machines()) {
    if (&each->self != &a) partition(a, each->self);
  }
}

void network::heal(const host& a, const host& b) {
  note("heal", a, b);
  change(a, b, [](wire& each) { each.is_parted = false; });
  send_again();
}

void network::heal_all() {
  net_->plan().note("network: heal all");
  change_all([](wire& each) { each.is_parted = false; });
  send_again();
}

void network::send_again() {
  net_->connections.for_each([](connection& each) { each.send_again(); });
}

void network::set_patience(duration length) noexcept { net_->patience = length; }

void network::set_delay(duration least, duration most) {
  TROUPE_ASSERT(duration::zero() <= least && least <= most);
  change_all([=](wire& each) { each.least_delay = least, each.most_delay = most; });
}

void network::set_delay(const host& a, const host& b, duration least, duration most) {
  TROUPE_ASSERT(duration::zero() <= least && least <= most);
  note("delay", a, b);
  change(a, b, [=](wire& each) { each.least_delay = least, each.most_delay = most; });
}

void network::set_loss(double share) {
  TROUPE_ASSERT(0 <= share && share <= 1);
  change_all([=](wire& each) { each.loss = share; });
}

void network::set_loss(const host& a, const host& b, double share) {
  TROUPE_ASSERT(0 <= share && share <= 1);
  note("loss", a, b);
  change(a, b, [=](wire& each) { each.loss = share; });
}

void network::set_duplication(double share) {
  TROUPE_ASSERT(0 <= share && share <= 1);
  change_all([=](wire& each) { each.duplication = share; });
}

void network::throttle(const host& a, const host& b, std::uint64_t bytes_per_second) {
  note("throttle", a, b);
  change(a, b, [=](wire& each) { each.bytes_per_second = bytes_per_second; });
}

void network::set_buffer(std::size_t bytes) noexcept {
  TROUPE_ASSERT(bytes > 0);
  net_->buffer_bytes = bytes;
}

std::size_t network::reset(const host& a, const host& b) {
  note("reset", a, b);
  std::size_t count = 0;
  net_->connections.for_each([&](connection& each) {
    const host& caller = each.at(0).at->self;
    const host& called = each.at(1).at->self;
    bool is_between = (&caller == &a && &called == &b) || (&caller == &b && &called == &a);
    if (!is_between || !each.stands()) return;
    each.reset();
    ++count;
  });
  return count;
}

bool network::reset_any() {
  std::vector<connection*> standing;
  net_->connections.for_each([&](connection& each) {
    if (each.stands()) standing.push_back(&each);
  });
  if (standing.empty()) return false;
  standing[net_->plan().random().below(standing.size())]->reset();
  return true;
}

void network::power_off(const host& a) {
  net_->plan().note(fmt::format("network: power off {}", a.name()));
  machine& dark = net_->of(a);
  net_->connections.for_each([&](connection& each) {
    for (std::size_t side = 0; side < 2; ++side) {
      if (each.at(side).at == &dark) each.fall_silent(side);
    }
  });
  dark.is_down = true;
}

void network::power_on(const host& a) {
  net_->plan().note(fmt::format("network: power on {}", a.name()));
  net_->of(a).is_down = false;
  send_again();
}

void network::set_names_down(bool are_down) noexcept { net_->names_are_down = are_down; }

std::size_t network::connection_count() const noexcept {
  std::size_t count = 0;
  net_->connections.for_each([&](connection& each) {
    if (each.stands()) ++count;
  });
  return count;
}

std::shared_ptr<detail::process> network::make_process(const host& where) {
  return std::make_shared<detail::process>(net_, net_->of(where));
}

}  // namespace troupe::inline v0_1::sim
