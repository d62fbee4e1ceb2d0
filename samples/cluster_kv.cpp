// Three nodes that share the keys of a store by consistent hash, each in a process of its own. One
// of them is killed and started again: its keys fail meanwhile, all others go on.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <troupe/node/node.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/shield.hpp>

#include "child.hpp"
#include "options.hpp"

namespace {

using namespace std::chrono_literals;

// --- what the nodes agree on ---

struct put {
  using reply = bool;  // Whether the key is new.
  std::string key;
  std::string value;
};
struct get {
  using reply = std::optional<std::string>;
  std::string key;
};
using store = troupe::protocol<put, get>;

// --- one node ---

class shelf final : public troupe::actor {
public:
  bool on(put m) { return values_.insert_or_assign(std::move(m.key), std::move(m.value)).second; }
  std::optional<std::string> on(const get& m) const {
    auto found = values_.find(m.key);
    if (found == values_.end()) return std::nullopt;
    return found->second;
  }

private:
  std::map<std::string, std::string> values_;
};

troupe::task<> keep_a_share(std::string name, std::uint16_t port) {
  troupe::node_options options;
  options.name = std::move(name);
  options.listen_on = fmt::format("127.0.0.1:{}", port);
  troupe::node here = co_await troupe::node::start(options);
  auto made = troupe::spawn<shelf>();
  here.publish<store>("store", made);
  fmt::print("listening on 127.0.0.1:{}\n", here.port());
  troupe::event never;
  try {
    co_await never.wait();
  } catch (const troupe::canceled&) {
    // SIGTERM, or Ctrl-C.
  }
  co_await troupe::shield(here.shut_down());
}

// --- whose a key is ---

/// A ring of points, many for each node. A key belongs to the first point at or behind its own
/// hash: the shares are about equal, and only the keys of a node that comes or goes change hands.
class hash_ring {
public:
  explicit hash_ring(std::size_t node_count) {
    for (std::size_t node = 0; node < node_count; ++node) {
      for (int i = 0; i < points_per_node; ++i) {
        points_.emplace(hash(fmt::format("node {} point {}", node, i)), node);
      }
    }
  }
  [[nodiscard]] std::size_t node_of(std::string_view key) const {
    auto found = points_.lower_bound(hash(key));
    return found == points_.end() ? points_.begin()->second : found->second;
  }

private:
  static constexpr int points_per_node = 64;

  // FNV-1a, then stirred: its upper bits hardly know the last letters.
  static std::uint64_t hash(std::string_view text) {
    std::uint64_t value = 14695981039346656037ULL;
    for (char each : text) value = (value ^ static_cast<unsigned char>(each)) * 1099511628211ULL;
    value ^= value >> 33U;
    value *= 0xff51afd7ed558ccdULL;
    return value ^ (value >> 33U);
  }

  std::map<std::uint64_t, std::size_t> points_;
};

// --- the client ---

struct member {
  std::string name;
  std::string port;
  samples::child process;
  troupe::remote_node there;
  troupe::ref<store> at;
};

/// What became of the keys of one node.
struct outcome {
  int right = 0;
  int absent = 0;
  int node_down = 0;

  [[nodiscard]] int all() const { return right + absent + node_down; }
};

samples::child start_node(const std::string& name, const std::string& port) {
  return {name, {"--name", name, "--port", port}};
}

troupe::task<member> join(troupe::node& here, std::string name) {
  samples::child process = start_node(name, "0");
  std::string port = co_await process.line("listening on 127.0.0.1:");
  troupe::remote_node there = co_await here.connect("127.0.0.1:" + port);
  auto at = co_await there.find<store>("store");
  co_return member{std::move(name), std::move(port), std::move(process), std::move(there),
                   std::move(at)};
}

class client {
public:
  client(std::vector<member> nodes, int key_count)
      : nodes_{std::move(nodes)}, ring_{nodes_.size()} {
    for (int i = 0; i < key_count; ++i) keys_.push_back(fmt::format("key {}", i));
  }

  [[nodiscard]] member& node(std::size_t index) { return nodes_.at(index); }

  /// Puts the keys of one node, or with none those of all.
  troupe::task<> put_keys(std::optional<std::size_t> of = {}) {
    for (const std::string& key : keys_) {
      std::size_t owner = ring_.node_of(key);
      if (of && *of != owner) continue;
      bool is_new = co_await nodes_[owner].at.ask<put>(key, "value of " + key);
      if (!is_new) throw std::runtime_error{fmt::format("'{}' was there before", key)};
    }
  }

  /// Gets all keys, and tells what came of it.
  troupe::task<std::vector<outcome>> get_keys() {
    std::vector<outcome> all(nodes_.size());
    for (const std::string& key : keys_) {
      std::size_t owner = ring_.node_of(key);
      auto found = co_await nodes_[owner].at.ask<get>(key).as_result();
      if (found && found->has_value() && **found != "value of " + key) {
        throw std::runtime_error{fmt::format("'{}' has the value '{}'", key, **found)};
      }
      if (found) ++(found->has_value() ? all[owner].right : all[owner].absent);
      if (!found && found.error() != troupe::ask_errc::node_down) {
        throw troupe::system_error{found.error(), key};
      }
      if (!found) ++all[owner].node_down;
    }
    std::string text;
    for (std::size_t i = 0; i < all.size(); ++i) {
      text += fmt::format("{}{}: {} right, {} absent, {} node_down", i == 0 ? "" : "; ",
                          nodes_[i].name, all[i].right, all[i].absent, all[i].node_down);
    }
    fmt::print("get: {}\n", text);
    co_return all;
  }

  /// Waits until a node that was started again answers.
  troupe::task<> recovered(member& who) {
    co_await who.there.up();
    for (;;) {  // The name is looked up again after that.
      auto answer = co_await who.at.ask<get>(keys_.front()).as_result();
      if (answer) co_return;
      co_await troupe::sleep_for(5ms);
    }
  }

  troupe::task<> stop() {
    for (member& each : nodes_) co_await each.process.stop();
  }

private:
  std::vector<member> nodes_;
  std::vector<std::string> keys_;
  hash_ring ring_;
};

// Each node has to have answered like this.
void check(const std::vector<outcome>& all, std::size_t odd_one, int outcome::* expected) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto counted = i == odd_one ? expected : &outcome::right;
    if (all[i].*counted != all[i].all()) throw std::runtime_error{"that is not what was expected"};
  }
}

troupe::task<> play(int key_count) {
  troupe::node_options options;
  options.name = "client";
  troupe::node here = co_await troupe::node::start(options);
  std::vector<member> nodes;
  for (const char* name : {"a", "b", "c"}) {
    member joined = co_await join(here, name);
    nodes.push_back(std::move(joined));
  }
  client keys{std::move(nodes), key_count};
  co_await keys.put_keys();
  auto before = co_await keys.get_keys();
  check(before, 0, &outcome::right);

  constexpr std::size_t victim = 1;
  member& killed = keys.node(victim);
  co_await killed.process.kill();
  co_await killed.there.down();
  fmt::print("{} is killed\n", killed.name);
  auto without = co_await keys.get_keys();
  check(without, victim, &outcome::node_down);

  killed.process = start_node(killed.name, killed.port);
  co_await killed.process.line("listening on ");
  co_await troupe::timeout(10s, keys.recovered(killed));
  fmt::print("{} is back, and has forgotten its keys\n", killed.name);
  auto empty = co_await keys.get_keys();
  check(empty, victim, &outcome::absent);
  co_await keys.put_keys(victim);
  auto after = co_await keys.get_keys();
  check(after, 0, &outcome::right);

  int right = 0;
  for (const outcome& each : after) right += each.right;
  co_await keys.stop();
  co_await here.shut_down();
  fmt::print("cluster_kv: keys={} right={} node_down={} came back={} ok\n", key_count, right,
             without[victim].node_down, after[victim].right);
}

}  // namespace

int main(int argc, char** argv) {
  samples::options options{argc, argv};
  int key_count = options.number("--keys", 60, 10, 100'000);
  std::string name = options.text("--name", "NAME");
  auto port = options.number<std::uint16_t>("--port", 0, 0, 65535);
  auto parent = options.number<pid_t>("--parent", 0, 1, 1 << 22);
  options.end();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // Each line is seen at once, also through a pipe.
  if (name.empty()) return troupe::run(play, key_count);
  samples::be_part_of(parent);
  return troupe::run(keep_a_share, name, port);
}
