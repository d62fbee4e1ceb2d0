#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/node/node.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sim/network.hpp>
#include <troupe/sim/node.hpp>
#include <troupe/sim/world.hpp>

namespace troupe::test {

struct deposit {
  std::int64_t amount;
};
struct balance {
  using reply = std::int64_t;
};
struct slow {  ///< Takes so long, and answers that.
  using reply = int;
  int ms;
};
struct fail_now {
  std::string words;
};
struct echo {
  using reply = std::string;
  std::string text;
};
using account = protocol<deposit, balance, slow, fail_now, echo>;

class savings final : public actor {
public:
  struct notes {
    std::vector<std::int64_t> amounts;
    int slow_begun = 0;
    int callers_gone = 0;
  };

  savings() = default;
  explicit savings(std::shared_ptr<notes> into) : notes_{std::move(into)} {}

  void on(deposit m) {
    sum_ += m.amount;
    notes_->amounts.push_back(m.amount);
  }
  std::int64_t on(balance) const { return sum_; }
  task<int> on(slow m) {
    ++notes_->slow_begun;
    for (int left = m.ms; left > 0; left -= 100) co_await sleep_for(std::chrono::milliseconds{100});
    if (self().caller_gone()) ++notes_->callers_gone;
    co_return m.ms;
  }
  void on(const fail_now& m) { throw std::runtime_error{m.words}; }
  std::string on(echo m) { return std::move(m.text); }

private:
  std::int64_t sum_ = 0;
  std::shared_ptr<notes> notes_ = std::make_shared<notes>();
};

inline node_options plain_options(std::string name, std::string listen_on = {}) {
  node_options options;
  options.name = std::move(name);
  options.listen_on = std::move(listen_on);
  options.security = node_security::insecure_for_closed_networks();
  return options;
}

/// A world with a node that publishes an account as `bank`, and one that finds it.
struct two_nodes {
  using notes = savings::notes;

  explicit two_nodes(sim::world& in, node_options with = plain_options("server"))
      : world{in}, server{in.add_node("server")}, client{in.add_node("client")} {
    with.listen_on = "0.0.0.0:7000";
    server.start([with, into = seen] { return serve(with, into); });
    address = server.address() + ":7000";
  }

  static task<> serve(node_options with, std::shared_ptr<notes> into) {
    node here = co_await node::start(with);
    auto bank = spawn<savings>(into);
    here.publish<account>("bank", bank);
    co_await sleep_for(std::chrono::hours{24});
  }

  /// Runs `body(there, bank)` at the client. Returns: what that returns.
  template <class Body>
  auto with_bank(Body body, node_options with = plain_options("client")) {
    using value_type =
        typename std::invoke_result_t<Body&, remote_node&, ref<account>&>::value_type;
    return client.block_on([&]() -> task<value_type> {
      node here = co_await node::start(with);
      remote_node there = co_await here.connect(address);
      auto bank = co_await there.template find<account>("bank");
      if constexpr (std::is_void_v<value_type>) {
        co_await body(there, bank);
        co_await here.shut_down();
      } else {
        value_type value = co_await body(there, bank);
        co_await here.shut_down();
        co_return value;
      }
    });
  }

  sim::world& world;
  sim::node& server;
  sim::node& client;
  std::string address;
  std::shared_ptr<notes> seen = std::make_shared<notes>();
};

}  // namespace troupe::test
