#include <string>

#include <boost/test/unit_test.hpp>

#include <service/serving.hpp>

namespace service {

BOOST_FIXTURE_TEST_SUITE(protocol_, serving, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(each_command_has_one_line_as_its_answer) {
  line_peer peer = greeted();
  BOOST_TEST(peer.ask("hello") == "hello world");
  BOOST_TEST(peer.ask("echo  two  blanks stay ") == " two  blanks stay ");
  BOOST_TEST(peer.ask("echo") == "");
  BOOST_TEST(samples::matches(peer.ask("rtt"),
                              with_caf ? R"(rtt \d+\.\d us by CAF)" : R"(rtt \d+\.\d us)"));
  BOOST_TEST(samples::matches(peer.ask("stats"), R"(stats connections=1 bytes=\d+ bytes/s=\d+)"));
  BOOST_TEST(peer.ask("quit") == "bye");
  BOOST_TEST(!peer.next_line());
}

BOOST_AUTO_TEST_CASE(the_greeting_names_the_connection_and_the_commands) {
  line_peer first = connected();
  BOOST_TEST(*first.next_line() ==
             "troupe service, connection 1: hello, echo TEXT, rtt, stats, quit");
  line_peer second = connected();
  BOOST_TEST(second.next_line()->starts_with("troupe service, connection 2:"));
}

BOOST_AUTO_TEST_CASE(an_unknown_command_gets_one_error_line_and_the_connection_goes_on) {
  line_peer peer = greeted();
  BOOST_TEST(peer.ask("helo there") ==
             "error: unknown command 'helo'; there are: hello, echo TEXT, rtt, stats, quit");
  BOOST_TEST(peer.ask("").starts_with("error: unknown command ''"));
  BOOST_TEST(peer.ask("hello") == "hello world");
}

BOOST_AUTO_TEST_CASE(requests_in_one_packet_are_answered_in_order) {
  line_peer peer = greeted();
  peer.write_all("echo one\r\nhello\necho two\nquit\n");
  for (const char* expected : {"one", "hello world", "two", "bye"}) {
    BOOST_TEST(*peer.next_line() == expected);
  }
  BOOST_TEST(!peer.next_line());
}

BOOST_AUTO_TEST_CASE(the_last_line_needs_no_end_and_a_half_closed_peer_gets_its_answers) {
  line_peer peer = greeted();
  peer.write_all("echo one\nhello");
  peer.half_close();
  BOOST_TEST(*peer.next_line() == "one");
  BOOST_TEST(*peer.next_line() == "hello world");
  BOOST_TEST(!peer.next_line());
}

BOOST_AUTO_TEST_CASE(a_line_of_4096_bytes_is_answered) {
  line_peer peer = greeted();
  std::string text(4096 - std::string{"echo "}.size(), 'x');
  BOOST_TEST(peer.ask("echo " + text) == text);
}

// Bytes are reported before the answer is written: what is answered has been counted.
BOOST_AUTO_TEST_CASE(what_is_answered_has_been_counted) {
  line_peer peer = greeted();
  std::size_t sent = 0;
  for (int i = 0; i < 100; ++i) {
    std::string request = "echo " + std::to_string(i);
    peer.ask(request);
    sent += request.size() + 1;
  }
  line_peer other = greeted();
  sent += std::string{"stats\n"}.size();
  std::string answer = other.ask("stats");
  BOOST_TEST(answer.starts_with("stats connections=2 bytes=" + std::to_string(sent) + " "), answer);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace service
