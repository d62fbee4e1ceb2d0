#include <boost/test/unit_test.hpp>

#include <troupe/base/format.hpp>

namespace troupe {

BOOST_AUTO_TEST_SUITE(format_)

BOOST_AUTO_TEST_CASE(errors_print_their_one_line_with_the_options_of_a_string) {
  BOOST_TEST(fmt::format("{}", errc::closed) == "channel closed");
  BOOST_TEST(fmt::format("{:>10}|{:.5}", errc::timed_out, errc::full) == " timed out|chann");
  result<int> failed = make_error_code(errc::too_long);
  BOOST_TEST(fmt::format("{}", failed.error()) == "longer than the limit");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
