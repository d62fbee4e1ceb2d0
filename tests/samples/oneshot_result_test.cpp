#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <samples/program.hpp>

namespace samples {

namespace {

void prints_one_line(std::vector<std::string> arguments, const std::string& expected) {
  program result{"tasks_oneshot_result", std::move(arguments)};
  std::vector<std::string> lines = result.lines();
  BOOST_TEST(lines == std::vector<std::string>{expected}, boost::test_tools::per_element());
  BOOST_TEST(result.exit_code() == 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(oneshot_result_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(main_gets_what_the_spawned_task_sent) {
  prints_one_line({}, "Got `hello from spawned task`");
}

BOOST_AUTO_TEST_CASE(a_sender_dropped_unsent_gives_the_receiver_an_error) {
  prints_one_line({"--drop-sender"}, "error = channel closed");
}

BOOST_AUTO_TEST_CASE(without_a_receiver_the_sender_gets_its_value_back) {
  prints_one_line({"--drop-receiver"}, "Sent in vain `hello from spawned task`");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples
