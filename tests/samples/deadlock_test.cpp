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
  std::vector<std::string> wanted{
      "board may not wait: board -> legal -> sales -> board: the wait would close a cycle of "
      "actors that wait for each other (not run) [troupe.ask:5]",
      "legal agrees, since sales agrees, since board decides alone"};
  BOOST_TEST(lines == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples
