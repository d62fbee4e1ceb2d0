#include <cstdint>
#include <regex>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <samples/program.hpp>

namespace samples {

namespace {

struct last_line {
  std::uint64_t made = 0, done = 0, dropped = 0, peak = 0;
  std::string verdict;

  explicit last_line(const std::string& text) {
    std::smatch found;
    std::regex wanted{
        R"(pipeline: made=(\d+) done=(\d+) dropped=(\d+) peak_in_flight=(\d+) (\w+))"};
    BOOST_REQUIRE_MESSAGE(std::regex_match(text, found, wanted), "got: " << text);
    made = std::stoull(found[1]);
    done = std::stoull(found[2]);
    dropped = std::stoull(found[3]);
    peak = std::stoull(found[4]);
    verdict = found[5];
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(pipeline_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(a_slow_sink_makes_the_source_wait_and_all_that_was_made_is_done) {
  program pipeline{"pipeline", {"--seconds", "2", "--slow", "2ms"}};
  std::vector<std::string> lines = pipeline.lines();
  BOOST_TEST(pipeline.exit_code() == 0);
  BOOST_TEST(pipeline.error_text() == "");
  BOOST_REQUIRE(lines.size() == 3U);
  for (std::size_t i = 0; i < 2; ++i) {
    BOOST_TEST(matches(lines[i], R"(made=\d+ done=\d+ in_flight=\d+ rss=\d+\.\d\dMB)"), lines[i]);
  }
  last_line end{lines[2]};
  BOOST_TEST(end.verdict == "ok");
  BOOST_TEST(end.made > 0U);
  BOOST_TEST(end.made == end.done);
  BOOST_TEST(end.dropped == 0U);
  // The mailboxes of three stages are full, and no more than full.
  BOOST_TEST(end.peak > 2U * 64);
  BOOST_TEST(end.peak <= 3U * 65);
  BOOST_TEST(end.done <= 2U * 500 + end.peak);
}

BOOST_AUTO_TEST_CASE(with_more_stages_more_is_in_flight_and_still_bounded) {
  program pipeline{"pipeline", {"--seconds", "1", "--stages", "8", "--slow", "1ms"}};
  std::vector<std::string> lines = pipeline.lines();
  BOOST_TEST(pipeline.exit_code() == 0);
  BOOST_REQUIRE(lines.size() == 2U);
  last_line end{lines[1]};
  BOOST_TEST(end.verdict == "ok");
  BOOST_TEST(end.made == end.done);
  BOOST_TEST(end.peak > 7U * 64);
  BOOST_TEST(end.peak <= 8U * 65);
}

BOOST_AUTO_TEST_CASE(a_time_without_a_unit_or_too_long_is_named) {
  for (const char* text : {"1", "ms", "-1ms", "5m", "1h", "1.5ms", "3601s", "99999999999999999s"}) {
    program pipeline{"pipeline", {"--slow", text}};
    BOOST_TEST(pipeline.exit_code() == 2);
    std::string expected = std::string{"pipeline: --slow is '"} + text +
                           "': it must be a time such as 500us, 1ms or 2s\n";
    BOOST_TEST(pipeline.error_text() == expected);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples
