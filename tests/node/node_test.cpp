#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/node/node.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sim/chaos.hpp>
#include <troupe/sim/network.hpp>
#include <troupe/sim/node.hpp>
#include <troupe/sim/replay.hpp>
#include <troupe/sim/world.hpp>

namespace troupe {
namespace {

using namespace std::chrono_literals;

struct deposit {
  std::int64_t amount;
};
struct balance {
  using reply = std::int64_t;
};
struct slow {
  using reply = int;
  int after_ms;
};
using account = protocol<deposit, balance, slow>;

class savings final : public actor {
public:
  void on(deposit m) { sum_ += m.amount; }
  std::int64_t on(balance) const { return sum_; }
  task<int> on(slow m) {
    co_await sleep_for(std::chrono::milliseconds{m.after_ms});
    co_return m.after_ms;
  }

private:
  std::int64_t sum_ = 0;
};

node_options open_options(std::string name, std::string listen_on = {}) {
  node_options options;
  options.name = std::move(name);
  options.listen_on = std::move(listen_on);
  options.security = node_security::insecure_for_closed_networks();
  return options;
}

task<> serve_account() {
  node here = co_await node::start(open_options("server", "0.0.0.0:7000"));
  auto bank = spawn<savings>();
  here.publish<account>("bank", bank);
  co_await sleep_for(1h);
  co_await here.shut_down();
}

struct two_nodes {
  explicit two_nodes(sim::world& in)
      : world{in}, server{in.add_node("server")}, client{in.add_node("client")} {
    server.start(serve_account);
    address = server.address() + ":7000";
  }
  sim::world& world;
  sim::node& server;
  sim::node& client;
  std::string address;
};

BOOST_AUTO_TEST_SUITE(node_)

BOOST_AUTO_TEST_CASE(what_one_node_publishes_another_finds_sends_to_and_asks) {
  sim::world world{1};
  two_nodes nodes{world};
  std::int64_t sum = nodes.client.block_on([&]() -> task<std::int64_t> {
    node here = co_await node::start(open_options("client"));
    remote_node there = co_await here.connect(nodes.address);
    auto bank = co_await there.find<account>("bank");
    co_await bank.send(deposit{40});
    co_await bank.send(deposit{2});
    std::int64_t answer = co_await bank.ask(balance{});
    co_await here.shut_down();
    co_return answer;
  });
  BOOST_TEST(sum == 42);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace troupe
