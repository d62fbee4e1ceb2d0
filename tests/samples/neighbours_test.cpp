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
  BOOST_TEST(lines.size() == 4U);
  // The two sides run side by side; each has an order of its own.
  auto comes_after = [&](const char* first, const char* second) {
    auto found = std::find(lines.begin(), lines.end(), first);
    return std::count(found, lines.end(), second) == 1;
  };
  BOOST_TEST(comes_after("CAF asked an actor of troupe: balance = 42",
                         "CAF saw the end of an actor of troupe: none"));
  BOOST_TEST(comes_after("troupe asked a CAF actor: balance = 42",
                         "troupe saw the end of a CAF actor: stopped"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples

#endif
