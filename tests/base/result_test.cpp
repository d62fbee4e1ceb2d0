#include <set>
#include <string>

#include <boost/test/unit_test.hpp>

#include <troupe/base/result.hpp>

namespace troupe {

BOOST_AUTO_TEST_SUITE(result_)

BOOST_AUTO_TEST_CASE(every_code_has_a_message_of_its_own_in_one_line) {
  std::set<std::string> seen;
  for (int code = 1; code <= static_cast<int>(errc::too_long); ++code) {
    std::string text = make_error_code(static_cast<errc>(code)).message();
    BOOST_TEST(text != "unknown error");
    BOOST_TEST(text.find('\n') == std::string::npos);
    BOOST_TEST(seen.insert(text).second);
  }
  BOOST_TEST(error_category().message(0) == "unknown error");
  BOOST_TEST(error_category().name() == "troupe");
}

BOOST_AUTO_TEST_CASE(a_code_compares_with_its_name) {
  boost::system::error_code code = errc::full;
  BOOST_CHECK(code == errc::full);
  BOOST_CHECK(code != errc::closed);
}

BOOST_AUTO_TEST_CASE(a_result_holds_a_value_or_an_error) {
  result<int> good{1}, bad{make_error_code(errc::timed_out)};
  BOOST_TEST(good.value() == 1);
  BOOST_TEST(bad.has_error());
  BOOST_CHECK_THROW((void)bad.value(), system_error);
}

BOOST_AUTO_TEST_CASE(a_thrown_error_says_its_code_and_its_message) {
  try {
    throw_error(errc::closed);
  } catch (const system_error& error) {
    BOOST_CHECK(error.code() == errc::closed);
    BOOST_TEST(std::string{error.what()}.find("channel closed") != std::string::npos);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
