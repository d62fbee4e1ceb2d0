#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <samples/program.hpp>

namespace samples {

BOOST_AUTO_TEST_SUITE(when_not_to_spawn_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(both_ways_are_measured_and_one_sentence_says_why) {
  program sample{"tasks_when_not_to_spawn", {"--requests", "1000"}};
  std::vector<std::string> lines = sample.lines();
  BOOST_TEST(sample.exit_code() == 0);
  BOOST_REQUIRE(lines.size() == 3U);
  BOOST_TEST(matches(lines[0], R"(one task : +\d+ requests/s, p99 +\d+\.\d us)"), lines[0]);
  BOOST_TEST(matches(lines[1], R"(two tasks: +\d+ requests/s, p99 +\d+\.\d us)"), lines[1]);
  BOOST_TEST(matches(lines[2], R"([A-Z][^.]*, so [^.]*\.)"), lines[2]);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples
