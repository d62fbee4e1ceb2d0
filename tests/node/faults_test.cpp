#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/sim/chaos.hpp>
#include <troupe/sim/replay.hpp>

#include <node/accounts.hpp>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using namespace test;

struct numbered {
  using reply = int;
  int number;
};
struct noted {
  int number;
};
using ledger_protocol = protocol<numbered, noted>;

/// Keeps what it has run, over all lives of its node.
class ledger final : public actor {
public:
  explicit ledger(std::shared_ptr<std::map<int, int>> runs) : runs_{std::move(runs)} {}

  task<int> on(numbered m) {
    ++(*runs_)[m.number];
    if (m.number % 7 == 0) co_await sleep_for(20ms);
    co_return m.number;
  }
  void on(noted m) { ++(*runs_)[m.number]; }

private:
  std::shared_ptr<std::map<int, int>> runs_;
};

task<> keep_ledger(std::shared_ptr<std::map<int, int>> runs) {
  node_options options = plain_options("server", "0.0.0.0:7000");
  options.window_bytes = 4096;
  node here = co_await node::start(options);
  auto made = spawn<ledger>(std::move(runs));
  here.publish<ledger_protocol>("ledger", made);
  co_await sleep_for(24h);
}

struct tally {
  int begun = 0;
  int ended = 0;
  int right = 0;
  int wrong = 0;
  std::vector<int> unrun;  // Those that have failed as not run.
};

task<> ask_one(ref<ledger_protocol> to, int number, tally& into) {
  auto answer = co_await to.ask(numbered{number}, within(3s)).as_result();
  ++into.ended;
  if (answer) {
    *answer == number ? ++into.right : ++into.wrong;
  } else if (!may_have_run(answer.error())) {
    into.unrun.push_back(number);
  }
}

task<> use_ledger(std::string address, tally& into, bool& is_done) {
  node here = co_await node::start(plain_options("client"));
  std::optional<ref<ledger_protocol>> to;
  while (!to) {
    try {
      remote_node there = co_await here.connect(address);
      to = co_await there.find<ledger_protocol>("ledger");
    } catch (const system_error&) {
      // It is down.
    }
    if (!to) co_await sleep_for(100ms);
  }
  for (int i = 0; i < 400; ++i) {
    ++into.begun;
    spawn([&into, to = *to, i] { return ask_one(to, i, into); });
    (void)co_await to->send(noted{10'000 + i}).as_result();
    if (i % 8 == 0) co_await sleep_for(100ms);
  }
  while (into.ended < into.begun) co_await sleep_for(10ms);
  auto last = co_await to->ask(numbered{1'000'000}, within(1s)).as_result();
  while (!last) {
    co_await sleep_for(100ms);
    last = co_await to->ask(numbered{1'000'000}, within(1s)).as_result();
  }
  is_done = true;
  co_await here.shut_down();
}

BOOST_AUTO_TEST_SUITE(faults_)

BOOST_AUTO_TEST_CASE(under_kills_partitions_and_resets_each_request_ends_once_and_none_runs_twice) {
  auto former = set_undelivered_sink([](const undelivered&) {});
  int all = 0, right = 0;
  sim::for_each_seed(
      "node.faults_/under_kills_partitions_and_resets_each_request_ends_once_and_none_runs_twice",
      60, [&](sim::world& world) {
        sim::node& server = world.add_node("server");
        sim::node& client = world.add_node("client");
        auto runs = std::make_shared<std::map<int, int>>();
        server.start(keep_ledger, runs);
        world.network().set_delay(0ns, 5ms);

        sim::chaos faults{world};
        faults.may("the server is killed", [&] {
          server.kill();
          world.after(1s, [&] {
            if (!server.is_up()) server.restart();
          });
        });
        faults.may("the server's power is cut", [&] {
          server.cut_power();
          world.after(2s, [&] {
            if (!server.is_up()) server.restart();
          });
        });
        faults.may("the wire is cut", [&] {
          world.network().partition(server, client);
          world.after(4s, [&] { world.network().heal(server, client); });
        });
        faults.may("connections break", [&] { world.network().reset(server, client); });
        faults.draw(6, 8s);

        tally seen;
        bool is_done = false;
        client.spawn([&, address = server.address() + ":7000"] {
          return use_ledger(address, seen, is_done);
        });
        world.expect("the client is through", [&] { return is_done; }, 10min);
        world.check(seen.ended == seen.begun, "every request ends once");
        all += seen.begun;
        right += seen.right;
        world.check(seen.wrong == 0, "no answer is another one's");
        for (auto& [number, times] : *runs) {
          world.check(times == 1 || number == 1'000'000, "nothing runs twice");
        }
        for (int number : seen.unrun) {
          world.check(!runs->contains(number), "what is told as not run was not run");
        }
      });
  set_undelivered_sink(former);
  BOOST_TEST_MESSAGE(right << " of " << all << " requests were answered");
  BOOST_TEST((right < all && right > all / 2));  // The faults are felt, and not all there is.
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace troupe
