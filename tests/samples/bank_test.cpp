#include <algorithm>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <samples/program.hpp>

namespace samples {

namespace {

std::ptrdiff_t count(const std::vector<std::string>& lines, const char* pattern) {
  return std::count_if(lines.begin(), lines.end(),
                       [&](const std::string& line) { return matches(line, pattern); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bank_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(a_branch_that_crashes_in_the_middle_loses_and_doubles_nothing) {
  for (const char* transfers : {"100", "20000"}) {
    program bank{"bank", {"--transfers", transfers}};
    std::vector<std::string> lines = bank.lines();
    BOOST_TEST(bank.exit_code() == 0);
    BOOST_TEST(bank.error_text() == "");
    BOOST_TEST(lines.size() == 9U);
    BOOST_TEST(count(lines, R"(\w+ opens with 1000)") == 4);
    BOOST_TEST(count(lines, "sum before: 4000") == 1);
    BOOST_TEST(count(lines, R"(Bergen crashes: booking \d+ is done, its answer is lost)") == 1);
    BOOST_TEST(count(lines, R"(booking \d+: .*: asked again)") == 1);
    BOOST_TEST(count(lines, R"(Bergen is restarted with -?\d+)") == 1);
    std::string last = std::string{"sum after "} + transfers + " transfers: 4000, right";
    BOOST_TEST(lines.back() == last);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples
