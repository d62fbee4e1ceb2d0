#include <cstdint>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/sync/oneshot.hpp>

#include "works.hpp"

namespace troupe::bench {

namespace {

constexpr std::uint64_t children = 10;

/// Sent up the tree.
struct part_sum {
  std::uint64_t value;
};
/// Sent down: add up the leaves from `first` on.
struct add_up {
  std::uint64_t first;
  std::uint64_t leaves;
};

using adder = protocol<part_sum>;

/// One node of the tree, a leaf too. Its parent has room for what its children send, and lives
/// until the last of them has ended.
class skynet_node : public actor {
public:
  explicit skynet_node(ref<adder> parent) : parent_{std::move(parent)} {}

  void on(add_up m) {
    if (m.leaves == 1) return finish(m.first);
    std::uint64_t part = m.leaves / children;
    ref<adder> me = self(this).address();
    for (std::uint64_t i = 0; i < children; ++i) {
      auto child = spawn<skynet_node>(me);
      child.try_send(add_up{m.first + i * part, part}).value();
    }
  }
  void on(part_sum m) {
    sum_ += m.value;
    if (++heard_ == children) finish(sum_);
  }

private:
  void finish(std::uint64_t sum) { parent_.try_send(part_sum{sum}).value(); }

  ref<adder> parent_;
  std::uint64_t sum_ = 0;
  std::uint64_t heard_ = 0;
};

/// Where the sum of the whole tree arrives.
class collector : public actor {
public:
  explicit collector(oneshot_sender<std::uint64_t> to) : to_{std::move(to)} {}
  void on(part_sum m) { to_.send(m.value); }

private:
  oneshot_sender<std::uint64_t> to_;
};

task<std::uint64_t> sum_of_tree(std::uint64_t leaves) {
  auto [tx, rx] = oneshot<std::uint64_t>();
  {
    auto root = spawn<skynet_node>(spawn<collector>(std::move(tx)));
    root.try_send(add_up{0, leaves}).value();
  }
  co_return co_await rx;
}

// Every node and every leaf is an actor; the sums come back up by messages.
double actor_skynet(const settings& given) {
  std::uint64_t leaves = tree_leaves(size_or(given, 1'000'000));
  return on_runtime(given, [leaves]() -> task<double> {
    auto start = real_clock::now();
    std::uint64_t sum = co_await sum_of_tree(leaves);
    double seconds = seconds_since(start);
    if (sum != leaves * (leaves - 1) / 2) throw std::runtime_error{"actor_skynet: a wrong sum"};
    co_return seconds;
  });
}

struct token {
  std::uint64_t hops_left;
};

/// Its mailbox has room for all tokens, so that no send ever waits.
class ring_member : public actor {
public:
  explicit ring_member(countdown* tokens_home) : tokens_home_{tokens_home} {}

  struct meet {
    ref<ring_member> next;
  };
  void on(meet m) { next_ = std::move(m.next); }
  void on(token t) {
    if (t.hops_left == 0) return tokens_home_->count_down();
    next_->try_send(token{t.hops_left - 1}).value();
  }

private:
  countdown* tokens_home_;
  std::optional<ref<ring_member>> next_;
};

// Building the ring is not timed. Its members hold one another, so they end only when told.
double ring(const settings& given) {
  constexpr std::size_t members = 1'000, tokens = 100;
  std::size_t hops_each = size_or(given, 2'000'000) / tokens;
  return on_runtime(given, [hops_each]() -> task<double> {
    countdown tokens_home{tokens};
    std::vector<ref<ring_member>> all;
    for (std::size_t i = 0; i < members; ++i) all.push_back(spawn<ring_member>(&tokens_home));
    for (std::size_t i = 0; i < members; ++i) {
      ring_member::meet who{all[(i + 1) % members]};
      co_await all[i].send(take(who));
    }
    auto start = real_clock::now();
    for (std::size_t i = 0; i < tokens; ++i) {
      // The token's way in is its first hop.
      all[i * members / tokens].try_send(token{hops_each - 1}).value();
    }
    co_await tokens_home.zero();
    double seconds = seconds_since(start);
    for (auto& each : all) each.stop();
    for (auto& each : all) co_await each.ended();
    co_return static_cast<double>(hops_each * tokens) / seconds;
  });
}

}  // namespace

std::map<std::string, work> network_works() {
  return {
      {"actor_skynet", {"s", &actor_skynet}},
      {"ring", {"hops/s", &ring}},
  };
}

}  // namespace troupe::bench
