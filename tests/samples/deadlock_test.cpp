#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <samples/program.hpp>

namespace samples {

BOOST_AUTO_TEST_SUITE(deadlock_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(a_circle_of_waits_is_refused_and_named) {
  program deadlock{"deadlock"};
  std::vector<std::string> lines = deadlock.lines();
  BOOST_TEST(deadlock.exit_code() == 0);
  BOOST_TEST(deadlock.error_text() == "");
  BOOST_TEST_REQUIRE(lines.size() == 2u);
  BOOST_TEST(
      matches(lines[0], R"(board may not wait: board -> legal -> sales -> board )"
                        R"(\(at [^ ]*deadlock\.cpp:33\): the wait would close a cycle of actors )"
                        R"(that wait for each other \(not run\) \[troupe\.ask:5\])"),
      lines[0]);
  BOOST_TEST(lines[1] == "legal agrees, since sales agrees, since board decides alone");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples
