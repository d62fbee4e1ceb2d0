#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <samples/program.hpp>

namespace samples {

BOOST_AUTO_TEST_SUITE(mpsc_stream_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(ten_messages_come_in_order_and_the_stream_ends_with_its_sender) {
  program stream{"tasks_mpsc_stream"};
  std::vector<std::string> expected;
  for (int i = 0; i < 10; ++i) {
    expected.push_back("Got `Message " + std::to_string(i) + " from spawned task`");
  }
  BOOST_TEST(stream.lines() == expected, boost::test_tools::per_element());
  BOOST_TEST(stream.exit_code() == 0);
}

BOOST_AUTO_TEST_CASE(without_a_receiver_the_sender_prints_one_error_and_ends) {
  program stream{"tasks_mpsc_stream", {"--drop-receiver"}};
  std::vector<std::string> expected{"error = channel closed"};
  BOOST_TEST(stream.lines() == expected, boost::test_tools::per_element());
  BOOST_TEST(stream.exit_code() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples
