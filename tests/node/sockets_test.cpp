#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/task/spawn.hpp>

#include <error_of.hpp>
#include <net/connected.hpp>
#include <node/accounts.hpp>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using namespace test;

node_options loopback_options(std::string name) {
  node_options options;
  options.name = std::move(name);
  options.listen_on = "127.0.0.1:0";
  return options;
}

task<remote_node> connect_to(node& from, const node& to) {
  co_return co_await from.connect("127.0.0.1:" + std::to_string(to.port()));
}

BOOST_FIXTURE_TEST_SUITE(sockets_, net::two_workers)

BOOST_AUTO_TEST_CASE(tasks_on_all_workers_share_a_link_and_each_gets_its_own_answers) {
  auto seen = std::make_shared<savings::notes>();
  rt.block_on([&]() -> task<> {
    node server = co_await node::start(loopback_options("server"));
    node client = co_await node::start(loopback_options("client"));
    auto local = spawn<savings>(seen);
    server.publish<account>("bank", local);
    remote_node there = co_await connect_to(client, server);
    auto bank = co_await there.find<account>("bank");

    auto ask_many = [](ref<account> of, int who) -> task<int> {
      int wrong = 0;
      for (int i = 0; i < 500; ++i) {
        std::string text = std::to_string(who) + ":" + std::to_string(i);
        std::string answer = co_await of.ask<echo>(text);
        if (answer != text) ++wrong;
        deposit one{1};
        co_await of.send(take(one));
      }
      co_return wrong;
    };
    std::vector<join_handle<int>> askers;
    for (int who = 0; who < 16; ++who) askers.push_back(spawn(ask_many, bank, who));
    int wrong = 0;
    for (auto& each : askers) wrong += co_await each;
    std::int64_t sum = co_await bank.ask(balance{});
    BOOST_TEST(wrong == 0);
    BOOST_TEST(sum == 16 * 500);
    co_await client.shut_down();
    co_await server.shut_down();
  });
}

BOOST_AUTO_TEST_CASE(an_end_under_load_fails_what_waits_and_leaves_nothing_behind) {
  for (int round = 0; round < 20; ++round) {
    int ended = 0;
    rt.block_on([&]() -> task<> {
      node server = co_await node::start(loopback_options("server"));
      node client = co_await node::start(loopback_options("client"));
      auto local = spawn<savings>();
      server.publish<account>("bank", local);
      remote_node there = co_await connect_to(client, server);
      auto bank = co_await there.find<account>("bank");
      auto ask_on = [](ref<account> of) -> task<> {
        for (;;) {
          auto answer = co_await of.ask(balance{}).as_result();
          if (!answer) co_return;
        }
      };
      std::vector<join_handle<void>> askers;
      for (int i = 0; i < 8; ++i) askers.push_back(spawn(ask_on, bank));
      for (int i = 0; i < 50 * round; ++i) (void)co_await bank.ask(balance{});
      std::array<node*, 2> ends{&server, &client};
      if (round % 2 != 0) std::swap(ends[0], ends[1]);
      co_await ends[0]->shut_down();
      for (auto& each : askers) {
        co_await each;
        ++ended;
      }
      co_await ends[1]->shut_down();
    });
    BOOST_TEST(ended == 8);
  }
}

BOOST_AUTO_TEST_CASE(a_port_where_nobody_listens_is_told_by_its_address) {
  std::string words = error_of([&] {
    rt.block_on([]() -> task<> {
      node here = co_await node::start(loopback_options("here"));
      (void)co_await here.connect("127.0.0.1:1");
    });
  });
  BOOST_TEST(words.find("no link to 127.0.0.1:1") != std::string::npos, words);
  BOOST_TEST(words.find("refused") != std::string::npos, words);
  words = error_of([&] {
    rt.block_on([]() -> task<> {
      node here = co_await node::start(loopback_options("here"));
      (void)co_await here.connect("nonsense");
    });
  });
  BOOST_TEST(words.find("'nonsense' is no address of a node") != std::string::npos, words);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace troupe
