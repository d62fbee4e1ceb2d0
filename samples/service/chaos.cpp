#include "chaos.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/core.h>

namespace service {

namespace {

constexpr unsigned connections_per_round = 9;  // And one of each other kind.

}  // namespace

void chaos::on(unleash) {
  auto kills_per_second = static_cast<std::int64_t>(at_->wanted.kills_per_second);
  strikes_ =
      self(this).send_every(troupe::duration{std::chrono::seconds{1}} / kills_per_second, strike{});
}

void chaos::on(const victim& fresh) {
  targets_.push_back(
      {fresh.what, fresh.who.id(), troupe::weak_ref<troupe::actors::any_actor>{fresh.who}});
  self(this).monitor(fresh.who);
}

void chaos::on(const troupe::down& ended) {
  auto is_meant = [&](const target& each) { return each.id == ended.who; };
  auto at = std::find_if(targets_.begin(), targets_.end(), is_meant);
  if (at == targets_.end()) return;
  if (ended.why.kind == troupe::exit_kind::killed) {
    ++done_.killed[static_cast<std::size_t>(at->what)];
  }
  if (!ended.restarts) targets_.erase(at);
}

void chaos::on(strike) {
  kind what = draw();
  std::vector<troupe::ref<troupe::actors::any_actor>> found;
  for (const target& each : targets_) {
    if (each.what != what) continue;
    if (auto living = each.who.lock()) found.push_back(std::move(*living));
  }
  if (found.empty()) return;
  done_.answered_before = at_->answered_count.load();
  found[dice_.below(found.size())].kill();
}

havoc chaos::on(calm) {
  strikes_.cancel();
  return done_;
}

// A round has its kinds in an order of its own.
kind chaos::draw() {
  if (deck_.empty()) {
    deck_ = {kind::a_listener, kind::an_aggregator, kind::a_coordinator, kind::a_transport};
    deck_.insert(deck_.end(), connections_per_round, kind::a_connection);
  }
  std::swap(deck_[dice_.below(deck_.size())], deck_.back());
  kind drawn = deck_.back();
  deck_.pop_back();
  return drawn;
}

std::string summary(const havoc& done, std::uint64_t answered_count) {
  auto killed = [&done](kind what) { return done.killed[static_cast<std::size_t>(what)]; };
  return fmt::format(
      "chaos: killed listener={} connections={} aggregator={} coordinator={} transport={}, "
      "then answered={}",
      killed(kind::a_listener), killed(kind::a_connection), killed(kind::an_aggregator),
      killed(kind::a_coordinator), killed(kind::a_transport),
      answered_count - done.answered_before);
}

}  // namespace service
