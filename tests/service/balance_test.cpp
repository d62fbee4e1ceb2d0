#include <csignal>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <service/serving.hpp>

namespace service {

namespace {

constexpr const char* second_line =
    R"( *\d+ s: \d+ connections, \d+ requests/s, \d+ bytes/s, p50 \d+ us, p99 \d+ us)";

void check_nothing_lost(const balance& last) {
  BOOST_TEST(last.sent == last.counted);
  BOOST_TEST(last.dropped == 0u);
  BOOST_TEST(last.requests == last.answered);
  BOOST_TEST(last.failed == 0u);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(balance_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(a_second_of_load_prints_a_line_and_balances) {
  samples::program run{"service", {"--seconds", "1"}};
  samples::port_of(run);
  auto lines = run.lines();
  BOOST_TEST_REQUIRE(lines.size() == 2u);
  BOOST_TEST(samples::matches(lines[0], second_line), lines[0]);
  balance last = balance_in(lines[1]);
  check_nothing_lost(last);
  BOOST_TEST(last.ok);
  BOOST_TEST(last.requests > 100u);
  BOOST_TEST((last.caf > 0) == with_caf);
  BOOST_TEST(last.caf < last.requests);
  BOOST_TEST(run.exit_code() == 0);
  BOOST_TEST(run.error_text() == "");
}

BOOST_AUTO_TEST_CASE(it_balances_with_one_worker_and_with_more_workers_than_cores) {
  for (const char* workers : {"1", "7"}) {
    samples::program run{"service", {"--seconds", "1", "--workers", workers, "--connections", "5"}};
    check_nothing_lost(end_of(run));
  }
}

BOOST_AUTO_TEST_CASE(it_balances_with_many_connections) {
  samples::program run{"service", {"--seconds", "1", "--connections", "200", "--seed", "7"}};
  check_nothing_lost(end_of(run));
}

BOOST_AUTO_TEST_CASE(ctrl_c_during_the_load_stops_it_with_a_true_balance) {
  samples::program run{"service", {"--seconds", "600"}};
  samples::port_of(run);
  auto first = run.next_line();
  BOOST_TEST_REQUIRE(first.has_value());
  BOOST_TEST(samples::matches(*first, second_line), *first);
  run.send_signal(SIGINT);
  balance last = end_of(run);
  check_nothing_lost(last);
  BOOST_TEST(last.requests > 100u);
}

BOOST_AUTO_TEST_CASE(ctrl_c_while_the_load_is_connecting_stops_it_with_a_true_balance) {
  for (int i = 0; i < 10; ++i) {
    samples::program run{"service", {"--seconds", "600", "--connections", "100"}};
    samples::port_of(run);
    run.send_signal(SIGTERM);
    check_nothing_lost(end_of(run));
  }
}

BOOST_AUTO_TEST_CASE(bad_peers_beside_the_load_harm_neither_it_nor_the_balance) {
  samples::program run{"service", {"--seconds", "600"}};
  std::uint16_t port = samples::port_of(run);
  constexpr unsigned count = 30;
  for (unsigned i = 0; i < count; ++i) {
    line_peer too_long{port}, garbage{port}, breaks_off{port}, says_nothing{port}, good{port};
    BOOST_REQUIRE(good.next_line());
    too_long.write_until_refused(std::string(10'000, 'x'));
    garbage.write_all("\x01\n");
    breaks_off.write_all("echo never read\n");
    breaks_off.reset();
    BOOST_TEST(good.ask("echo " + std::to_string(i)) == std::to_string(i));
  }
  run.send_signal(SIGINT);
  balance last = end_of(run);
  BOOST_TEST(last.sent == last.counted);
  BOOST_TEST(last.failed <= 2U * count);  // Garbage and the echo, whose peers do not read.
}

BOOST_AUTO_TEST_CASE(each_rtt_and_nothing_else_is_answered_by_CAF) {
  serving service;
  constexpr std::uint64_t count = 20;
  line_peer one = service.greeted(), other = service.greeted();
  for (std::uint64_t i = 0; i < count / 2; ++i) {
    one.write_all("rtt\nhello\n");
    BOOST_TEST(other.ask("rtt").starts_with("rtt "));
    BOOST_TEST(one.next_line()->starts_with("rtt "));
    BOOST_TEST(*one.next_line() == "hello world");
  }
  balance last = service.stop();
  check_nothing_lost(last);
  BOOST_TEST(last.caf == (with_caf ? count : 0));
}

BOOST_AUTO_TEST_CASE(a_peer_that_leaves_before_its_rtt_is_answered_leaves_the_balance_true) {
  serving service;
  for (int i = 0; i < 50; ++i) {
    line_peer leaves = service.greeted(), stays = service.greeted();
    leaves.write_all("rtt\nrtt\nrtt\n");
    leaves.reset();
    BOOST_TEST(stays.ask("rtt").starts_with("rtt "));
  }
  balance last = service.stop();
  BOOST_TEST(last.answered + last.failed == last.requests);
  BOOST_TEST(last.caf >= (with_caf ? 50u : 0u));
}

BOOST_AUTO_TEST_CASE(stop_graceful_counts_what_was_served_and_closes_connections_that_are_open) {
  serving service;
  line_peer peer = service.greeted();
  BOOST_TEST(peer.ask("hello") == "hello world");
  peer.ask("rtt");
  line_peer idle = service.greeted();
  balance last = service.stop();
  check_nothing_lost(last);
  BOOST_TEST(last.sent == 10u);
  BOOST_TEST(last.requests == 2u);
  BOOST_TEST(!peer.next_line());
  BOOST_TEST(!idle.next_line());
}

BOOST_AUTO_TEST_CASE(requests_that_have_arrived_before_the_stop_are_answered) {
  serving service;
  line_peer peer = service.greeted();
  service.program().pause();
  for (int i = 0; i < 1000; ++i) peer.write_all("echo " + std::to_string(i) + '\n');
  service.program().send_signal(SIGINT);
  service.program().send_signal(SIGCONT);
  for (int i = 0; i < 1000; ++i) BOOST_TEST(*peer.next_line() == std::to_string(i));
  BOOST_TEST(!peer.next_line());
  balance last = end_of(service.program());
  check_nothing_lost(last);
  BOOST_TEST(last.answered == 1000u);
}

// It reads no answer, so the service must not wait for it longer than its drain time.
BOOST_AUTO_TEST_CASE(a_peer_that_does_not_read_does_not_hold_up_the_stop) {
  serving service;
  line_peer bad = service.greeted();
  std::string request = "echo " + std::string(4000, 'x') + '\n';
  bad.write_until_blocked(request);
  balance last = service.stop();
  BOOST_TEST(last.sent == last.counted);
  BOOST_TEST(last.failed == 1u);
}

BOOST_AUTO_TEST_CASE(a_peer_that_goes_on_asking_is_cut_off_when_the_drain_time_is_over) {
  serving service{{"--drain", "0.05"}};
  line_peer peer = service.greeted();
  service.program().send_signal(SIGINT);
  std::uint64_t answered = 0;
  for (;; ++answered) {
    if (peer.write_until_refused("hello\n") == 0) break;
    if (!peer.next_line()) break;
  }
  balance last = end_of(service.program());
  BOOST_TEST(last.sent == last.counted);
  BOOST_TEST(last.answered == answered);
}

BOOST_AUTO_TEST_CASE(accounts_tell_of_each_connection_what_was_counted_and_answered) {
  serving service{{"--accounts"}};
  {
    line_peer peer = service.greeted();
    peer.ask("hello");
    peer.ask("no command");
    BOOST_TEST(peer.ask("quit") == "bye");
    BOOST_TEST(!peer.next_line());
  }
  BOOST_TEST(*service.program().next_line() == "account: connection=1 counted=22 answered=3");
  line_peer open = service.greeted();
  open.ask("echo");
  service.program().send_signal(SIGINT);
  BOOST_TEST(*service.program().next_line() == "account: connection=2 counted=5 answered=1");
  balance last = end_of(service.program());
  BOOST_TEST(last.counted == 27u);
  BOOST_TEST(last.answered == 4u);
}

BOOST_AUTO_TEST_CASE(each_second_is_told_without_a_load_too_if_asked_for) {
  serving service{{"--each-second"}};
  line_peer peer = service.greeted();
  auto first = service.program().next_line();
  BOOST_TEST_REQUIRE(first.has_value());
  BOOST_TEST(samples::matches(*first, R"( *\d+ s: 1 connections, \d+ bytes/s)"), *first);
  check_nothing_lost(service.stop());
}

BOOST_AUTO_TEST_CASE(an_empty_service_balances_at_nothing) {
  serving service;
  balance last = service.stop();
  check_nothing_lost(last);
  BOOST_TEST(last.sent == 0u);
  BOOST_TEST(last.requests == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace service
