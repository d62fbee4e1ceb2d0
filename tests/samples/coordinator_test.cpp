#include <algorithm>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <samples/forms.hpp>
#include <samples/program.hpp>

namespace samples {

namespace {

struct counted {
  std::ptrdiff_t durations, errors, transport_errors, all;
};

struct coordinator_form {
  explicit coordinator_form(const std::string& form)
      : name{form + "_coordinator"},
        error{form == "tasks" ? "error = channel closed" : "error = " + broken} {}

  // Runs the coordinator, which has to end by itself, and counts its lines by kind.
  [[nodiscard]] counted run(std::vector<std::string> arguments) const {
    program coordinator{name, std::move(arguments)};
    std::vector<std::string> lines = coordinator.lines();
    BOOST_TEST(coordinator.exit_code() == 0);
    BOOST_TEST(coordinator.error_text() == "");
    auto count = [&](const std::string& pattern) {
      return std::count_if(lines.begin(), lines.end(),
                           [&](const std::string& line) { return matches(line, pattern.c_str()); });
    };
    return {count(R"(duration = \d+\.\dµs)"), count(error), count("transport error = " + broken),
            static_cast<std::ptrdiff_t>(lines.size())};
  }

  // The actor dials again after a failure, to a peer that has gone.
  static inline const std::string broken =
      "(end of stream|Broken pipe|Connection reset by peer|Connection refused|"
      R"(system_error\(socket_disconnected\)))";

  std::string name;
  std::string error;  // What a requester prints: the actor hands over the transport's.
};

}  // namespace

BOOST_AUTO_TEST_SUITE(coordinator_, *boost::unit_test::label("sample"))

TROUPE_FORMS_TEST_CASE(each_of_four_tasks_gets_a_duration_and_the_program_ends_by_itself,
                       coordinator_form) {
  counted lines = run({});
  BOOST_TEST(lines.durations == 4);
  BOOST_TEST(lines.all == 4);
}

TROUPE_FORMS_TEST_CASE(a_requester_that_has_gone_does_not_end_the_coordinator, coordinator_form) {
  counted lines = run({"--one-leaves"});
  BOOST_TEST(lines.durations == 4);
  BOOST_TEST(lines.all == 4);
}

TROUPE_FORMS_TEST_CASE(when_the_transport_fails_those_that_wait_for_it_get_the_error,
                       coordinator_form) {
  counted lines = run({"--pongs", "2"});
  BOOST_TEST(lines.durations == 2);
  BOOST_TEST(lines.errors == 2);
  BOOST_TEST(lines.transport_errors == 2);
  BOOST_TEST(lines.all == 6);
}

TROUPE_FORMS_TEST_CASE(a_transport_that_never_works_fails_every_request, coordinator_form) {
  counted lines = run({"--pongs", "0"});
  BOOST_TEST(lines.errors == 4);
  BOOST_TEST(lines.transport_errors == 4);
  BOOST_TEST(lines.all == 8);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples
