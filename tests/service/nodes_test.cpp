#include <csignal>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <service/serving.hpp>

namespace service {

namespace {

// Reads what tells of the second process. Returns: its number.
pid_t second_process_of(samples::program& run) {
  auto line = run.next_line();
  BOOST_REQUIRE(line);
  BOOST_TEST(samples::matches(*line, R"(second process: listening on 127\.0\.0\.1:\d+)"), *line);
  line = run.next_line();
  BOOST_REQUIRE(line);
  BOOST_TEST(samples::matches(*line, R"(the transport is at node transport, process \d+)"), *line);
  return std::stoi(line->substr(line->rfind(' ') + 1));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nodes_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(with_its_transport_in_a_second_process_the_service_balances_as_without) {
  samples::program run{"service", {"--nodes", "--seconds", "1"}};
  second_process_of(run);
  samples::port_of(run);
  std::vector<std::string> lines = run.lines();
  BOOST_TEST_REQUIRE(lines.size() == (with_caf ? 3U : 2U));
  BOOST_TEST(lines[0].starts_with("  1 s: "), lines[0]);
  balance last = balance_in(lines.back());
  BOOST_TEST(last.ok);
  BOOST_TEST(last.requests == last.answered);
  BOOST_TEST(last.requests > 100U);
  BOOST_TEST((last.caf > 0) == with_caf);
  if (with_caf) {  // And the one by which the service begins.
    BOOST_TEST(lines[1] ==
               "second process: CAF has answered " + std::to_string(last.caf + 1) + " pings");
  }
  BOOST_TEST(run.exit_code() == 0);
  BOOST_TEST(samples::without_stalls(run.error_text()) == "");
}

BOOST_AUTO_TEST_CASE(it_balances_while_chaos_kills_the_transport_of_the_second_process_too) {
  for (const char* seed : {"1", "7"}) {
    samples::program run{"service",
                         {"--nodes", "--seconds", "2", "--chaos", "--kills", "20", "--seed", seed}};
    std::vector<std::string> lines = run.lines();
    BOOST_TEST_REQUIRE(lines.size() >= 2U);
    const std::string& havoc = lines[lines.size() - 2];
    BOOST_TEST(samples::matches(havoc, "chaos: killed .* transport=[1-9].*"), havoc);
    balance last = balance_in(lines.back());
    BOOST_TEST(last.ok);
    BOOST_TEST(last.failed >= 1U);
    BOOST_TEST(last.answered > 100U);
    BOOST_TEST((last.caf > 0) == with_caf);
    BOOST_TEST(run.exit_code() == 0);
  }
}

BOOST_AUTO_TEST_CASE(without_its_second_process_rtt_fails_and_all_else_goes_on) {
  samples::program run{"service", {"--nodes", "--serve"}};
  pid_t second = second_process_of(run);
  line_peer peer{samples::port_of(run)};
  BOOST_REQUIRE(peer.next_line());
  BOOST_TEST(peer.ask("rtt").starts_with("rtt "));
  BOOST_REQUIRE(::kill(second, SIGKILL) == 0);
  std::string failed = peer.ask("rtt");
  while (failed.starts_with("rtt ")) failed = peer.ask("rtt");  // Until it is dead.
  BOOST_TEST(failed.starts_with("error"), failed);
  BOOST_TEST(peer.ask("hello") == "hello world");
  run.send_signal(SIGINT);
  BOOST_TEST(run.exit_code() == 1);
  std::string errors = run.error_text();
  BOOST_TEST((errors.find("the link to transport at 127.0.0.1:") != std::string::npos), errors);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace service
