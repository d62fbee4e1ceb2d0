#include <algorithm>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <samples/program.hpp>

#ifdef TROUPE_WITH_CAF

namespace samples {

BOOST_AUTO_TEST_SUITE(neighbours_,
                      *boost::unit_test::label("sample") * boost::unit_test::label("caf"))

BOOST_AUTO_TEST_CASE(each_side_asks_the_other_and_sees_its_end) {
  program neighbours{"caf_neighbours"};
  std::vector<std::string> lines = neighbours.lines();
  BOOST_TEST(neighbours.exit_code() == 0);
  BOOST_TEST(neighbours.error_text() == "");
  // The two sides run side by side; each has an order of its own.
  std::stable_partition(lines.begin(), lines.end(),
                        [](const std::string& line) { return line.starts_with("CAF "); });
  std::vector<std::string> expected{
      "CAF asked an actor of troupe: balance = 42", "CAF saw the end of an actor of troupe: none",
      "troupe asked a CAF actor: balance = 42", "troupe saw the end of a CAF actor: stopped"};
  BOOST_TEST(lines == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples

#endif
