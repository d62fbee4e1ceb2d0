#include <csignal>
#include <cstdint>
#include <regex>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <service/serving.hpp>

namespace service {

namespace {

// The numbers of the summary, in its order: five kinds that were killed, then what was answered.
std::vector<std::uint64_t> havoc_in(const std::string& line) {
  static const std::regex form{
      R"(chaos: killed listener=(\d+) connections=(\d+) aggregator=(\d+) coordinator=(\d+) )"
      R"(transport=(\d+), then answered=(\d+))"};
  std::smatch found;
  BOOST_REQUIRE_MESSAGE(std::regex_match(line, found, form), "no summary: " << line);
  std::vector<std::uint64_t> numbers;
  for (std::size_t i = 1; i < found.size(); ++i) numbers.push_back(std::stoull(found[i]));
  return numbers;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(chaos_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(it_balances_while_each_kind_is_killed_and_answers_after_the_last) {
  for (const char* seed : {"1", "7", "2026"}) {
    samples::program run{"service", {"--seconds", "2", "--chaos", "--kills", "20", "--seed", seed}};
    auto lines = run.lines();
    BOOST_TEST_REQUIRE(lines.size() >= 2u);
    for (std::uint64_t number : havoc_in(lines[lines.size() - 2])) BOOST_TEST(number >= 1u);
    balance last = balance_in(lines.back());
    BOOST_TEST(last.ok);
    BOOST_TEST(last.sent == last.counted + last.dropped);
    BOOST_TEST(last.requests == last.answered + last.failed);
    BOOST_TEST(last.failed >= 1u);
    BOOST_TEST(last.answered > 100u);
    BOOST_TEST((last.caf > 0) == with_caf);
    BOOST_TEST(run.exit_code() == 0);
  }
}

// It comes back, too: else the service would say so, and end with another code.
BOOST_AUTO_TEST_CASE(rtt_fails_with_a_typed_error_when_its_transport_is_killed) {
  for (const char* seed : {"2", "3", "4", "5"}) {
    samples::program run{"service", {"--seconds", "1", "--chaos", "--kills", "50", "--seed", seed}};
    auto lines = run.lines();
    BOOST_TEST_REQUIRE(lines.size() >= 2u);
    BOOST_TEST(havoc_in(lines[lines.size() - 2]).at(4) >= 1u);
    BOOST_TEST(balance_in(lines.back()).ok);
    BOOST_TEST(run.exit_code() == 0);
    std::string errors = run.error_text();
    BOOST_TEST((errors.find("rtt failed: the receiver ") != std::string::npos), errors);
    BOOST_TEST((errors.find("has not come back") == std::string::npos), errors);
  }
}

BOOST_AUTO_TEST_CASE(ctrl_c_during_chaos_stops_it_with_a_true_balance) {
  for (const char* seed : {"8", "9"}) {
    samples::program run{"service",
                         {"--seconds", "600", "--chaos", "--kills", "50", "--seed", seed}};
    samples::port_of(run);
    BOOST_REQUIRE(run.next_line());
    run.send_signal(SIGINT);
    balance last = end_of(run);
    BOOST_TEST(last.sent == last.counted + last.dropped);
    BOOST_TEST((last.caf > 0) == with_caf);
  }
}

BOOST_AUTO_TEST_CASE(a_byte_that_is_lost_makes_the_balance_broken) {
  for (bool chaos : {false, true}) {
    std::vector<std::string> arguments{"--seconds", "1", "--lose", "1"};
    if (chaos) arguments.emplace_back("--chaos");
    samples::program run{"service", std::move(arguments)};
    auto lines = run.lines();
    BOOST_TEST_REQUIRE(!lines.empty());
    balance last = balance_in(lines.back());
    BOOST_TEST(!last.ok);
    BOOST_TEST(last.sent == last.counted + last.dropped + 1);
    BOOST_TEST(run.exit_code() == 1);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace service
