#include <algorithm>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <samples/program.hpp>

namespace samples {

namespace {

struct counted {
  std::ptrdiff_t durations, errors, transport_errors, all;
};

// Runs the coordinator, which has to end by itself, and counts its lines by kind.
counted run_coordinator(std::vector<std::string> arguments) {
  program coordinator{"tasks_coordinator", std::move(arguments)};
  std::vector<std::string> lines = coordinator.lines();
  BOOST_TEST(coordinator.exit_code() == 0);
  BOOST_TEST(coordinator.error_text() == "");
  auto count = [&](const char* pattern) {
    return std::count_if(lines.begin(), lines.end(),
                         [&](const std::string& line) { return matches(line, pattern); });
  };
  return {count(R"(duration = \d+\.\dµs)"), count("error = channel closed"),
          count("transport error = (end of stream|Broken pipe|Connection reset by peer)"),
          static_cast<std::ptrdiff_t>(lines.size())};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(coordinator_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(each_of_four_tasks_gets_a_duration_and_the_program_ends_by_itself) {
  counted lines = run_coordinator({});
  BOOST_TEST(lines.durations == 4);
  BOOST_TEST(lines.all == 4);
}

BOOST_AUTO_TEST_CASE(a_requester_that_has_gone_does_not_end_the_coordinator) {
  counted lines = run_coordinator({"--one-leaves"});
  BOOST_TEST(lines.durations == 4);
  BOOST_TEST(lines.all == 4);
}

BOOST_AUTO_TEST_CASE(when_the_transport_fails_those_that_wait_for_it_get_the_error) {
  counted lines = run_coordinator({"--pongs", "2"});
  BOOST_TEST(lines.durations == 2);
  BOOST_TEST(lines.errors == 2);
  BOOST_TEST(lines.transport_errors == 2);
  BOOST_TEST(lines.all == 6);
}

BOOST_AUTO_TEST_CASE(a_transport_that_never_works_fails_every_request) {
  counted lines = run_coordinator({"--pongs", "0"});
  BOOST_TEST(lines.errors == 4);
  BOOST_TEST(lines.transport_errors == 4);
  BOOST_TEST(lines.all == 8);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples
