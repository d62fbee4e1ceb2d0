#include <csignal>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <docs/page_snippets.hpp>
#include <samples/peer.hpp>
#include <samples/program.hpp>

namespace samples {

BOOST_AUTO_TEST_SUITE(readme_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(its_programs_are_samples) {
  BOOST_TEST(
      troupe::test::check_snippets("README.md", {"samples/echo.cpp", "samples/counter.cpp"}) == 2);
}

BOOST_AUTO_TEST_CASE(the_actor_answers_the_sum) {
  program counter{"counter"};
  BOOST_TEST((counter.lines() == std::vector<std::string>{"42"}));
  BOOST_TEST(counter.exit_code() == 0);
  BOOST_TEST(counter.error_text() == "");
}

BOOST_AUTO_TEST_CASE(the_server_gives_back_what_it_gets_and_ends_by_ctrl_c) {
  program echo{"echo", {"0"}};
  std::uint16_t port = port_of(echo);
  peer first{port}, second{port};
  second.write_all("second");
  first.write_all("first");
  first.shut_down();
  BOOST_TEST(first.read_to_end() == "first");
  second.shut_down();
  BOOST_TEST(second.read_to_end() == "second");
  echo.send_signal(SIGINT);
  BOOST_TEST(echo.lines().empty());
  BOOST_TEST(echo.exit_code() == 0);
  BOOST_TEST(echo.error_text() == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples
