#include <boost/test/unit_test.hpp>

#include <troupe/sync/format.hpp>

namespace troupe {

BOOST_AUTO_TEST_SUITE(format_)

BOOST_AUTO_TEST_CASE(a_gap_prints_how_much_was_missed) {
  BOOST_TEST(fmt::format("{}", lagged{3}) == "3 values missed");
  BOOST_TEST(fmt::format("{:-^16}", lagged{1}) == "-1 value missed-");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
