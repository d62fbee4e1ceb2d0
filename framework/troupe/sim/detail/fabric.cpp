#include <troupe/sim/detail/fabric.hpp>

#include <algorithm>

#include <troupe/base/assert.hpp>

namespace troupe::inline v0_1::sim::detail {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t max_machines = 65'000;  // What the last two parts of an address can tell.
constexpr duration first_retry = 200ms;       // Of what got lost, then twice as long each time.
constexpr int max_retries = 6;

}  // namespace

fabric::fabric(agenda& plan) : plan_{plan} {
  usual.least_delay = 50us;
  usual.most_delay = 1ms;
  within.least_delay = 1us;
  within.most_delay = 50us;
}

machine& fabric::add(std::string name) {
  if (named(name) != nullptr)
    misuse("two hosts of one network have the same name: use others [X07]");
  TROUPE_ASSERT(machines_.size() < max_machines);
  machines_.push_back(std::make_unique<machine>(std::move(name), machines_.size() + 1));
  return *machines_.back();
}

machine* fabric::named(std::string_view name) noexcept {
  auto found = std::find_if(machines_.begin(), machines_.end(),
                            [&](const auto& each) { return each->self.name() == name; });
  return found == machines_.end() ? nullptr : found->get();
}

machine* fabric::reached(machine& from, const io::endpoint& to) noexcept {
  if (is_loopback(to) || is_any(to)) return &from;
  for (auto& each : machines_) {
    if (with_port(each->self.endpoint(), to.port()) == to) return each.get();
  }
  return nullptr;
}

wire& fabric::between(const machine& from, const machine& to) {
  auto key = std::pair{from.self.number(), to.self.number()};
  auto found = wires_.find(key);
  if (found != wires_.end()) return found->second;
  return wires_.emplace(key, &from == &to ? within : usual).first->second;
}

time_point fabric::arrival(const machine& from, const machine& to, std::size_t bytes) {
  wire& over = between(from, to);
  time_point sent = plan_.now();
  if (over.bytes_per_second != 0) {
    auto length = std::chrono::nanoseconds{1s}.count() / static_cast<double>(over.bytes_per_second);
    duration takes{static_cast<duration::rep>(length * static_cast<double>(bytes))};
    sent = over.busy_until = std::max(sent, over.busy_until) + takes;
  }
  return sent + pick(over.least_delay, over.most_delay);
}

time_point fabric::sure_arrival(const machine& from, const machine& to, std::size_t bytes) {
  time_point when = arrival(from, to, bytes);
  duration retry = first_retry;
  double loss = between(from, to).loss;
  for (int i = 0; i < max_retries && chance(loss); ++i, retry *= 2) when += retry;
  return when;
}

bool fabric::chance(double probability) {
  constexpr std::uint64_t parts = 1'000'000;
  if (probability <= 0) return false;
  return plan_.random().below(parts) <
         static_cast<std::uint64_t>(probability * static_cast<double>(parts));
}

duration fabric::pick(duration least, duration most) {
  if (most <= least) return least;
  auto range = static_cast<std::uint64_t>((most - least).count()) + 1;
  return least + duration{static_cast<duration::rep>(plan_.random().below(range))};
}

}  // namespace troupe::inline v0_1::sim::detail
