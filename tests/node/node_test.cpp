#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/supervisor.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/shield.hpp>

#include <collected_failures.hpp>
#include <error_of.hpp>
#include <node/accounts.hpp>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using namespace test;

/// A request, and what it has ended with.
task<ask_errc> outcome_of(ref<account> bank, slow m, ask_limit limit) {
  auto answer = co_await bank.ask(m, limit).as_result();
  co_return answer ? ask_errc{} : static_cast<ask_errc>(answer.error().value());
}

template <class Body>
std::string words_of(two_nodes& nodes, Body body) {
  return nodes.client.block_on([&]() -> task<std::string> {
    node here = co_await node::start(plain_options("client"));
    std::string words = "no error";
    try {
      co_await body(here);
    } catch (const system_error& error) {
      words = error.what();
    }
    co_await here.shut_down();
    co_return words;
  });
}

struct told_of_ends final : actor {
  explicit told_of_ends(ref<account> of, std::shared_ptr<std::vector<down>> into)
      : of_{std::move(of)}, into_{std::move(into)} {}
  void on_start() { self(this).monitor(of_); }
  void on(const down& m) { into_->push_back(m); }
  int on(slow) { return 0; }

private:
  ref<account> of_;
  std::shared_ptr<std::vector<down>> into_;
};

struct go_on {
  using reply = std::string;
};

/// Asks its partner whatever it is asked.
class relay final : public actor {
public:
  task<std::string> on(go_on m) {
    try {
      co_return co_await partner_->ask(m, within(2s));
    } catch (const system_error& error) {
      co_return error.what();
    }
  }
  void on(ref<protocol<go_on>> partner) { partner_ = std::move(partner); }

private:
  std::optional<ref<protocol<go_on>>> partner_;
};

task<> relay_to(std::string name, std::string address, std::string* words) {
  node here = co_await node::start(plain_options(name, "0.0.0.0:7000"));
  auto mine = spawn<relay>(actor_options{.name = name});
  here.publish<protocol<go_on>>("relay", mine);
  co_await sleep_for(1s);  // Both have published.
  remote_node there = co_await here.connect(address);
  (void)mine.try_send(co_await there.find<protocol<go_on>>("relay"));
  if (words != nullptr) *words = co_await mine.ask(go_on{});
  co_await sleep_for(1h);
}

BOOST_AUTO_TEST_SUITE(node_)

BOOST_AUTO_TEST_CASE(ask_cycle_over_two_nodes_ends_by_its_deadline_and_names_who_waits) {
  sim::world world{1};
  sim::node& one = world.add_node("one");
  sim::node& two = world.add_node("two");
  std::string words;
  one.spawn([&] { return relay_to("ann", two.address() + ":7000", &words); });
  two.spawn([&] { return relay_to("bob", one.address() + ":7000", nullptr); });
  world.expect("the cycle ends", [&] { return !words.empty(); }, 10s);
  BOOST_TEST(words.find("ann -> relay at 10.0.0.2:7000") != std::string::npos, words);
  BOOST_TEST(words.find("no answer before the deadline") != std::string::npos, words);
}

BOOST_AUTO_TEST_CASE(what_one_node_publishes_another_finds_sends_to_and_asks) {
  sim::world world{1};
  two_nodes nodes{world};
  std::int64_t sum = nodes.with_bank([](remote_node&, ref<account>& bank) -> task<std::int64_t> {
    co_await bank.send(deposit{40});
    co_await bank.send(deposit{2});
    std::int64_t answer = co_await bank.ask(balance{});
    co_return answer;
  });
  BOOST_TEST(sum == 42);
}

BOOST_AUTO_TEST_CASE(messages_of_one_sender_come_in_their_order) {
  sim::world world{2};
  two_nodes nodes{world};
  world.network().set_delay(0ns, 20ms);
  nodes.with_bank([](remote_node&, ref<account>& bank) -> task<> {
    for (int i = 0; i < 3000; ++i) co_await bank.send(deposit{i});
    (void)co_await bank.ask(balance{});
  });
  BOOST_TEST(nodes.seen->amounts.size() == 3000U);
  BOOST_TEST(std::is_sorted(nodes.seen->amounts.begin(), nodes.seen->amounts.end()));
}

BOOST_AUTO_TEST_CASE(a_name_that_nobody_has_published_is_no_route) {
  sim::world world{1};
  two_nodes nodes{world};
  std::string words = words_of(nodes, [&](node& here) -> task<> {
    remote_node there = co_await here.connect(nodes.address);
    (void)co_await there.find<account>("bonk");
  });
  BOOST_TEST(words.find("server has published nothing as 'bonk'") != std::string::npos, words);
}

BOOST_AUTO_TEST_CASE(a_protocol_that_differs_is_rejected_in_words_that_name_both_sides) {
  sim::world world{1};
  two_nodes nodes{world};
  std::string other_answer = words_of(nodes, [&](node& here) -> task<> {
    remote_node there = co_await here.connect(nodes.address);
    (void)co_await there.find<protocol<std::string(deposit)>>("bank");
  });
  BOOST_TEST(
      other_answer.find("server answers troupe::test::deposit by nothing that was published, "
                        "and client expects string") != std::string::npos,
      other_answer);
  struct unheard_of {};
  std::string unknown = words_of(nodes, [&](node& here) -> task<> {
    remote_node there = co_await here.connect(nodes.address);
    (void)co_await there.find<protocol<unheard_of>>("bank");
  });
  BOOST_TEST(unknown.find("bank does not handle") != std::string::npos, unknown);
}

BOOST_AUTO_TEST_CASE(a_killed_node_fails_pending_requests_at_once_and_is_found_again) {
  sim::world world{1};
  two_nodes nodes{world};
  world.after(500ms, [&] { nodes.server.kill(); });
  world.after(5s, [&] { nodes.server.restart(); });
  std::vector<time_point> times;
  std::vector<ask_errc> ends;
  std::int64_t sum =
      nodes.with_bank([&](remote_node& there, ref<account>& bank) -> task<std::int64_t> {
        ends.push_back(co_await outcome_of(bank, slow{60'000}, no_deadline));
        times.push_back(now());
        ends.push_back(co_await outcome_of(bank, slow{1}, no_deadline));
        times.push_back(now());
        co_await there.up();
        auto sum_of = [](ref<account> of) -> task<std::int64_t> {
          co_return co_await of.ask(balance{});
        };
        for (;;) {
          auto answer = co_await bank.ask(balance{}).as_result();
          if (answer) break;
          co_await sleep_for(10ms);
        }
        co_await bank.send(deposit{7});
        std::int64_t answer = co_await sum_of(bank);
        co_return answer;
      });
  BOOST_TEST((ends == std::vector{ask_errc::node_down, ask_errc::node_down}));
  BOOST_TEST((times[0] - time_point{} < 700ms));
  BOOST_TEST((times[1] - times[0] < 1ms));
  BOOST_TEST(sum == 7);  // Of the new process.
}

BOOST_AUTO_TEST_CASE(silence_is_noticed_after_down_after_and_a_healed_wire_links_again) {
  sim::world world{1};
  two_nodes nodes{world};
  time_point cut_at = time_point{} + 1s, lost_at{}, back_at{};
  world.after(1s, [&] { world.network().partition(nodes.server, nodes.client); });
  world.after(10s, [&] { world.network().heal(nodes.server, nodes.client); });
  nodes.with_bank([&](remote_node& there, ref<account>& bank) -> task<> {
    BOOST_TEST((co_await outcome_of(bank, slow{60'000}, no_deadline) == ask_errc::node_down));
    lost_at = now();
    co_await there.up();
    back_at = now();
  });
  BOOST_TEST((lost_at - cut_at > 2400ms));
  BOOST_TEST((lost_at - cut_at < 3500ms));
  BOOST_TEST((back_at - time_point{} < 18s));
}

BOOST_AUTO_TEST_CASE(a_monitor_is_told_of_a_lost_link_and_of_the_end) {
  sim::world world{1};
  two_nodes nodes{world};
  auto ends = std::make_shared<std::vector<down>>();
  nodes.with_bank([&](remote_node&, ref<account>& bank) -> task<> {
    auto watcher = spawn<told_of_ends>(bank, ends);
    (void)co_await watcher.ask(slow{0});
    world.network().reset(nodes.server, nodes.client);
    co_await sleep_for(2s);
    bank.stop();
    exit_reason why = co_await bank.ended();
    BOOST_TEST((why.kind == exit_kind::stopped));
    (void)co_await watcher.ask(slow{0});
  });
  BOOST_TEST_REQUIRE(ends->size() == 2U);
  BOOST_TEST(ends->at(0).restarts);
  BOOST_TEST(to_string(ends->at(0).why).find("the link to server at") != std::string::npos);
  BOOST_TEST(!ends->at(1).restarts);
}

BOOST_AUTO_TEST_CASE(what_an_actor_has_failed_with_comes_to_who_watches_it_from_afar) {
  sim::world world{1};
  two_nodes nodes{world};
  collected_failures reported;  // At the actor's own node.
  std::string why;
  ask_errc later{};
  nodes.with_bank([&](remote_node&, ref<account>& bank) -> task<> {
    fail_now last{"out of money"};
    co_await bank.send(take(last));
    why = to_string(co_await bank.ended());
    later = co_await outcome_of(bank, slow{1}, {});
  });
  BOOST_TEST(why.find("out of money") != std::string::npos, why);
  BOOST_TEST((later == ask_errc::receiver_gone));
}

BOOST_AUTO_TEST_CASE(stop_travels_and_queued_requests_fail_as_they_do_locally) {
  sim::world world{1};
  two_nodes nodes{world};
  ask_errc running{}, queued{};
  nodes.with_bank([&](remote_node&, ref<account>& bank) -> task<> {
    auto first = spawn(outcome_of, bank, slow{1000}, no_deadline);
    co_await sleep_for(100ms);
    auto second = spawn(outcome_of, bank, slow{1000}, no_deadline);
    co_await sleep_for(100ms);
    bank.kill();
    running = co_await first;
    queued = co_await second;
  });
  BOOST_TEST((running == ask_errc::receiver_failed));
  BOOST_TEST((queued == ask_errc::receiver_gone));
  BOOST_TEST(nodes.seen->slow_begun == 1);
}

BOOST_AUTO_TEST_CASE(a_deadline_travels_and_expired_mail_is_dropped_unrun) {
  sim::world world{1};
  two_nodes nodes{world};
  ask_errc first{}, second{};
  nodes.with_bank([&](remote_node&, ref<account>& bank) -> task<> {
    auto longer = spawn(outcome_of, bank, slow{3000}, no_deadline);
    co_await sleep_for(100ms);
    second = co_await outcome_of(bank, slow{1}, within(500ms));
    first = co_await longer;
    (void)co_await bank.ask(balance{});
  });
  BOOST_TEST((first == ask_errc{}));
  BOOST_TEST((second == ask_errc::timeout));
  BOOST_TEST(nodes.seen->slow_begun == 1);
}

BOOST_AUTO_TEST_CASE(a_request_that_nobody_waits_for_any_more_is_withdrawn_from_afar) {
  sim::world world{1};
  two_nodes nodes{world};
  nodes.with_bank([&](remote_node&, ref<account>& bank) -> task<> {
    auto running = spawn(outcome_of, bank, slow{3000}, no_deadline);
    co_await sleep_for(100ms);
    auto queued = spawn(outcome_of, bank, slow{1}, no_deadline);
    co_await sleep_for(100ms);
    co_await queued.cancel();
    co_await running.cancel();
    (void)co_await bank.ask(balance{});
  });
  BOOST_TEST(nodes.seen->slow_begun == 1);
  BOOST_TEST(nodes.seen->callers_gone == 1);
}

BOOST_AUTO_TEST_CASE(a_sender_waits_when_its_window_is_used_up) {
  sim::world world{1};
  node_options small = plain_options("server");
  small.window_bytes = 10'000;
  two_nodes nodes{world, small};
  std::size_t sent_while_busy = 0, at_once = 0;
  nodes.with_bank([&](remote_node&, ref<account>& bank) -> task<> {
    auto busy = spawn(outcome_of, bank, slow{10'000}, no_deadline);
    co_await sleep_for(100ms);
    auto sender = spawn([&]() -> task<> {
      for (int i = 0; i < 5000; ++i) {
        co_await bank.send(deposit{1}, no_deadline);
        ++sent_while_busy;
      }
    });
    co_await sleep_for(5s);
    at_once = sent_while_busy;
    (void)co_await busy;
    co_await sender;
    BOOST_TEST((co_await bank.ask(balance{})) == 5000);
  });
  // Both mailboxes, of 1 024 each, and the window.
  BOOST_TEST(at_once > 2000U);
  BOOST_TEST(at_once < 2 * 1024U + 10'000 / 64 + 10);
  BOOST_TEST(sent_while_busy == 5000U);
}

BOOST_AUTO_TEST_CASE(a_full_mailbox_holds_up_no_other_actor_of_the_link) {
  sim::world world{1};
  sim::node& server = world.add_node("server");
  server.start([]() -> task<> {
    node_options options = plain_options("server", "0.0.0.0:7000");
    options.window_bytes = 2000;
    node here = co_await node::start(options);
    auto busy = spawn<savings>(actor_options{.capacity = 2});
    auto idle = spawn<savings>();
    here.publish<account>("busy", busy);
    here.publish<account>("idle", idle);
    co_await sleep_for(1h);
  });
  sim::node& client = world.add_node("client");
  duration took{};
  client.block_on([&]() -> task<> {
    node here = co_await node::start(plain_options("client"));
    remote_node there = co_await here.connect(server.address() + ":7000");
    auto busy = co_await there.find<account>("busy");
    auto idle = co_await there.find<account>("idle");
    auto first = spawn(outcome_of, busy, slow{10'000}, no_deadline);
    for (int i = 0; i < 500; ++i) co_await busy.send(deposit{1});
    time_point start = now();
    (void)co_await idle.ask(balance{});
    took = now() - start;
    (void)co_await first;
    (void)co_await busy.ask(balance{});
    co_await here.shut_down();
  });
  BOOST_TEST((took < 100ms));
}

BOOST_AUTO_TEST_CASE(a_message_or_an_answer_beyond_the_limit_fails_alone) {
  sim::world world{1};
  node_options small = plain_options("server");
  small.max_message_bytes = 1000;
  two_nodes nodes{world, small};
  node_options here = plain_options("client");
  here.max_message_bytes = 5000;
  std::string at_home, at_theirs;
  std::int64_t sum = nodes.with_bank(
      [&](remote_node&, ref<account>& bank) -> task<std::int64_t> {
        try {
          (void)co_await bank.ask<echo>(std::string(6000, 'x'));
        } catch (const system_error& error) {
          at_home = error.what();
        }
        try {
          (void)co_await bank.ask<echo>(std::string(2000, 'x'));
        } catch (const system_error& error) {
          at_theirs = error.what();
        }
        std::int64_t answer = co_await bank.ask(balance{});
        co_return answer;
      },
      here);
  BOOST_TEST(at_home.find("6002 bytes, and at most 5000 may travel") != std::string::npos, at_home);
  BOOST_TEST(at_theirs.find("the answer has 2002 bytes") != std::string::npos, at_theirs);
  BOOST_TEST(sum == 0);
}

BOOST_AUTO_TEST_CASE(a_name_is_taken_while_its_actor_lives) {
  sim::world world{1};
  sim::node& alone = world.add_node("alone");
  std::string words = error_of([&] {
    alone.block_on([]() -> task<> {
      node here = co_await node::start(plain_options("alone"));
      auto one = spawn<savings>();
      here.publish<account>("bank", one);
      one.stop();
      (void)co_await one.ended();
      auto other = spawn<savings>();
      here.publish<account>("bank", other);
      here.publish<account>("bank", other);
    });
  });
  BOOST_TEST(words.find("bank: the name stands for another actor") != std::string::npos, words);
}

BOOST_AUTO_TEST_CASE(a_node_that_connects_to_itself_is_told_so) {
  sim::world world{1};
  sim::node& alone = world.add_node("alone");
  std::string words = error_of([&] {
    alone.block_on([&]() -> task<> {
      node here = co_await node::start(plain_options("alone", "0.0.0.0:7000"));
      (void)co_await here.connect(alone.address() + ":7000");
    });
  });
  BOOST_TEST(words.find("the address leads back to this node") != std::string::npos, words);
}

BOOST_AUTO_TEST_CASE(a_link_too_many_is_refused_and_the_others_go_on) {
  sim::world world{1};
  node_options narrow = plain_options("server");
  narrow.max_links = 1;
  two_nodes nodes{world, narrow};
  sim::node& other = world.add_node("other");
  std::string words;
  std::int64_t sum = nodes.with_bank([&](remote_node&, ref<account>& bank) -> task<std::int64_t> {
    auto refused = other.spawn([&]() -> task<> {
      node here = co_await node::start(plain_options("other"));
      try {
        (void)co_await here.connect(nodes.address);
      } catch (const system_error& error) {
        words = error.what();
      }
    });
    co_await sleep_for(1s);
    std::int64_t answer = co_await bank.ask(balance{});
    co_return answer;
  });
  BOOST_TEST(words.find("server has 1 links, and no more may be") != std::string::npos, words);
  BOOST_TEST(sum == 0);
}

BOOST_AUTO_TEST_CASE(a_plain_address_beyond_the_machine_is_refused_with_what_to_do) {
  sim::world world{1};
  two_nodes nodes{world};
  node_options safe = plain_options("client");
  safe.security = {};
  std::string words = error_of([&] {
    nodes.client.block_on([&]() -> task<> {
      node here = co_await node::start(safe);
      (void)co_await here.connect(nodes.address);
    });
  });
  BOOST_TEST(words.find("insecure_for_closed_networks()") != std::string::npos, words);
  safe.listen_on = "0.0.0.0:7000";
  words = error_of(
      [&] { nodes.client.block_on([&]() -> task<> { (void)co_await node::start(safe); }); });
  BOOST_TEST(words.find("insecure_for_closed_networks()") != std::string::npos, words);
}

BOOST_AUTO_TEST_CASE(a_stranger_in_place_of_a_node_is_told_of_by_kind) {
  sim::world world{1};
  two_nodes nodes{world};
  sim::node& stranger = world.add_node("stranger");
  auto say = [](std::string what) -> task<> {
    io::listener listener = net::tcp_listen("0.0.0.0", 80);
    for (;;) {
      io::stream peer = co_await listener.accept();
      if (what == "silence") co_await sleep_for(1h);
      co_await peer.write_all(what);
      if (!what.empty()) co_await sleep_for(1s);
    }
  };
  auto words_with = [&](std::string what) {
    stranger.start(say, what);
    std::string words = words_of(nodes, [&](node& here) -> task<> {
      (void)co_await here.connect(stranger.address() + ":80");
    });
    stranger.kill();
    return words;
  };
  BOOST_TEST(words_with("").find("without a word") != std::string::npos);
  BOOST_TEST(words_with("HTTP/1.1 400 Bad Request").find("speaks HTTP") != std::string::npos);
  BOOST_TEST(words_with("\x16\x03\x01 hello").find("speaks TLS") != std::string::npos);
  BOOST_TEST(words_with("silence").find("been silent") != std::string::npos, words_with("silence"));
  std::string nobody = words_of(nodes, [&](node& here) -> task<> {
    (void)co_await here.connect(stranger.address() + ":80");
  });
  BOOST_TEST(nobody.find("no link to 10.0.0.3:80") != std::string::npos, nobody);
}

// Goal: what a graceful stop begins with, the end of intake, leaves links to be ended in order.
BOOST_AUTO_TEST_CASE(a_program_with_links_that_is_asked_to_end_does_so_at_once) {
  sim::world world{1};
  sim::node& server = world.add_node("server");
  time_point ended_at{};
  server.start([&]() -> task<> {
    node here = co_await node::start(plain_options("server", "0.0.0.0:7000"));
    auto bank = spawn<savings>();
    here.publish<account>("bank", bank);
    try {
      co_await sleep_for(1h);
    } catch (const canceled&) {
      // SIGTERM.
    }
    co_await shield(here.shut_down());
    ended_at = now();
  });
  sim::node& client = world.add_node("client");
  client.block_on([&]() -> task<> {
    node here = co_await node::start(plain_options("client"));
    remote_node there = co_await here.connect(server.address() + ":7000");
    auto bank = co_await there.find<account>("bank");
    world.after(1s, [&] { server.terminate(); });
    time_point start = now();
    co_await there.down();
    BOOST_TEST((now() - start < 1100ms));
    co_await here.shut_down();
  });
  BOOST_TEST((ended_at != time_point{}));
  BOOST_TEST((ended_at - time_point{} < 1200ms));
}

BOOST_AUTO_TEST_CASE(a_link_that_is_lost_while_it_is_ended_leaves_no_failure_that_nobody_awaits) {
  collected_failures reported;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    sim::world world{seed};
    two_nodes nodes{world};
    nodes.with_bank([&](remote_node&, ref<account>&) -> task<> {
      world.network().reset(nodes.server, nodes.client);
      co_return;
    });
  }
  BOOST_TEST(reported.texts().empty());
}

BOOST_AUTO_TEST_CASE(garbage_on_its_port_leaves_a_node_and_its_links_alone) {
  sim::world world{1};
  two_nodes nodes{world};
  sim::node& stranger = world.add_node("stranger");
  int tried = 0;
  std::int64_t sum = nodes.with_bank([&](remote_node&, ref<account>& bank) -> task<std::int64_t> {
    stranger.spawn([&]() -> task<> {
      const std::vector<std::string> garbage{"",
                                             std::string(32, '\0'),
                                             std::string(4, '\xff'),
                                             "GET / HTTP/1.1\r\n\r\n",
                                             std::string("\0\0\0\x05\x01\0\0\0\0", 9),
                                             std::string(100'000, 'x')};
      for (const std::string& each : garbage) {
        io::stream peer = co_await net::tcp_connect(nodes.server.address(), 7000);
        try {
          (void)co_await peer.write_some(each);
          auto rest = co_await select(peer.discard_to_end(), sleep_for(10s));
          BOOST_TEST(rest.index() == 0U);  // The node lets go of it.
        } catch (const system_error& reset) {
          BOOST_TEST((reset.code() == boost::system::errc::connection_reset));
        }
        ++tried;
      }
    });
    co_await sleep_for(2min);
    std::int64_t answer = co_await bank.ask(balance{});
    co_return answer;
  });
  BOOST_TEST(sum == 0);
  BOOST_TEST(tried == 6);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace troupe
