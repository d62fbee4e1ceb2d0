#include <cstddef>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <service/serving.hpp>

namespace service {

namespace {

// How many lines of `text` contain `word`.
std::size_t lines_with(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = text.find('\n', begin);
    if (text.substr(begin, end - begin).find(word) != std::string::npos) ++count;
    begin = end == std::string::npos ? text.size() : end + 1;
  }
  return count;
}

void check_unharmed(line_peer& good) { BOOST_TEST(good.ask("echo still here") == "still here"); }

}  // namespace

BOOST_AUTO_TEST_SUITE(bad_peers_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(a_line_beyond_the_limit_gets_one_error_line_and_the_end) {
  serving service;
  line_peer good = service.greeted();
  line_peer bad = service.greeted();
  bad.write_all(std::string(5000, 'x'));
  BOOST_TEST(*bad.next_line() == "error: line longer than 4096 bytes: closed");
  BOOST_TEST(!bad.next_line());
  check_unharmed(good);
  balance last = service.stop();
  BOOST_TEST(last.counted == 5000 + std::string{"echo still here\n"}.size());
  BOOST_TEST(last.requests == 1u);  // What is no line is no request.
  BOOST_TEST(lines_with(service.program().error_text(), "line longer than 4096 bytes") == 1u);
}

BOOST_AUTO_TEST_CASE(a_hundred_megabytes_without_a_line_end_are_not_kept_and_harm_nobody) {
  serving service;
  line_peer good = service.greeted();
  line_peer bad = service.greeted();
  std::string megabyte(1'000'000, 'x');
  std::size_t sent = 0, accepted = 0;
  do {
    accepted = bad.write_until_refused(megabyte);
    sent += accepted;
  } while (accepted == megabyte.size() && sent < 100'000'000);
  BOOST_TEST(sent < 100'000'000u);
  BOOST_TEST(*bad.next_line() == "error: line longer than 4096 bytes: closed");
  check_unharmed(good);
  service.stop();
}

BOOST_AUTO_TEST_CASE(a_hundred_megabytes_of_requests_are_answered_and_counted_to_the_byte) {
  serving service;
  line_peer good = service.greeted();
  line_peer much = service.greeted();
  constexpr std::size_t line_bytes = 4000, lines_per_round = 250, rounds = 100;
  std::string line = "echo " + std::string(line_bytes - 6, 'x') + '\n';
  std::string round;
  for (std::size_t i = 0; i < lines_per_round; ++i) round += line;
  for (std::size_t i = 0; i < rounds; ++i) {
    BOOST_TEST_REQUIRE(much.exchange_all(round, (line_bytes - 5) * lines_per_round));
    check_unharmed(good);
  }
  BOOST_TEST(much.ask("quit") == "bye");
  balance last = service.stop();
  std::size_t expected = rounds * (line_bytes * lines_per_round + 16) + 5;
  BOOST_TEST(last.sent == expected);
  BOOST_TEST(last.counted == expected);
  BOOST_TEST(last.answered == rounds * (lines_per_round + 1) + 1);
}

BOOST_AUTO_TEST_CASE(garbage_gets_one_error_line_that_names_the_byte_and_the_end) {
  serving service;
  line_peer good = service.greeted();
  line_peer bad = service.greeted();
  BOOST_TEST(bad.ask(std::string{"\x16\x03\x01 hello", 9}) ==
             "error: not a line of text: byte 0x16 at column 1");
  BOOST_TEST(!bad.next_line());
  check_unharmed(good);
  service.stop();
  BOOST_TEST(lines_with(service.program().error_text(), "not a line of text: closed") == 1u);
}

BOOST_AUTO_TEST_CASE(ten_unknown_commands_in_a_row_are_enough) {
  serving service;
  line_peer bad = service.greeted();
  for (int i = 0; i < 9; ++i) bad.ask("GET / HTTP/1.1");
  BOOST_TEST(bad.ask("hello") == "hello world");
  for (int i = 0; i < 10; ++i) bad.ask("GET / HTTP/1.1");
  BOOST_TEST(*bad.next_line() == "error: 10 unknown commands in a row: closed");
  BOOST_TEST(!bad.next_line());
  service.stop();
}

BOOST_AUTO_TEST_CASE(a_silent_peer_is_told_and_closed_also_in_mid_line) {
  serving service{{"--idle", "0.3"}};
  line_peer silent = service.greeted();
  line_peer in_mid_line = service.greeted();
  in_mid_line.write_all("hel");
  for (line_peer* each : {&silent, &in_mid_line}) {
    BOOST_TEST(*each->next_line() == "error: no complete line for 0.3 s: closed");
    BOOST_TEST(!each->next_line());
  }
  line_peer good = service.greeted();
  check_unharmed(good);
  balance last = service.stop();
  BOOST_TEST(last.counted == std::string{"helecho still here\n"}.size());
  BOOST_TEST(lines_with(service.program().error_text(), "no complete line for 0.3 s") == 2u);
}

BOOST_AUTO_TEST_CASE(a_peer_that_does_not_read_its_answers_is_closed) {
  std::string request = "echo " + std::string(4000, 'x') + '\n';
  std::string requests;
  for (int i = 0; i < 10'000; ++i) requests += request;
  serving service{{"--idle", "0.3"}};
  line_peer bad = service.greeted();
  std::size_t sent = bad.write_until_refused(requests);
  BOOST_TEST(sent < requests.size());
  line_peer good = service.greeted();
  check_unharmed(good);
  balance last = service.stop();
  BOOST_TEST(last.failed >= 1u);  // The answer that nobody took.
  BOOST_TEST(lines_with(service.program().error_text(), "has not read its answer for 0.3 s") == 1u);
}

BOOST_AUTO_TEST_CASE(peers_that_break_off_in_mid_write_leave_the_balance_true) {
  serving service;
  line_peer good = service.greeted();
  std::string request = "echo " + std::string(4000, 'x') + '\n';
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += request;
  for (int i = 0; i < 50; ++i) {
    line_peer bad = service.greeted();
    bad.write_all(requests);
    bad.reset();
    check_unharmed(good);
  }
  balance last = service.stop();
  BOOST_TEST(last.sent == last.counted);
  BOOST_TEST(last.answered + last.failed == last.requests);
  std::string errors = service.program().error_text();
  std::size_t count = lines_with(errors, "");
  BOOST_TEST((count >= 1 && count <= 52), errors);
}

BOOST_AUTO_TEST_CASE(connections_without_a_byte_are_no_news) {
  serving service;
  for (int i = 0; i < 100; ++i) service.connected().half_close();
  for (int i = 0; i < 100; ++i) service.greeted().reset();
  line_peer good = service.greeted();
  check_unharmed(good);
  balance last = service.stop();
  BOOST_TEST(last.sent == std::string{"echo still here\n"}.size());
  BOOST_TEST(service.program().error_text() == "");
}

BOOST_AUTO_TEST_CASE(
    a_connection_beyond_the_limit_is_told_so_and_a_place_that_is_free_is_given_again) {
  serving service{{"--limit", "2"}};
  line_peer first = service.greeted();
  {
    line_peer second = service.greeted();
    line_peer third = service.connected();
    BOOST_TEST(*third.next_line() == "error: too many connections: the limit is 2: closed");
    BOOST_TEST(!third.next_line());
    BOOST_TEST(second.ask("quit") == "bye");
  }
  // The service takes note of the end a moment after the peer does.
  for (bool is_taken_on = false; !is_taken_on;) {
    is_taken_on = service.connected().next_line()->starts_with("troupe service");
  }
  check_unharmed(first);
  service.stop();
  BOOST_TEST(lines_with(service.program().error_text(), "too many connections: the limit is 2") >=
             1u);
}

BOOST_AUTO_TEST_CASE(without_descriptors_peers_are_turned_away_until_there_are_some_again) {
  serving service;
  line_peer good = service.greeted();
  std::vector<line_peer> holders;
  for (int i = 0; i < 20; ++i) holders.push_back(service.greeted());
  rlim_t former = service.program().limit_descriptors(16);
  for (int i = 0; i < 5; ++i) BOOST_TEST(!service.connected().next_line());
  check_unharmed(good);
  check_unharmed(holders.back());
  holders.clear();
  service.program().limit_descriptors(former);
  line_peer late = service.greeted();
  check_unharmed(late);
  check_unharmed(good);
  service.stop();
  std::string errors = service.program().error_text();
  BOOST_TEST(lines_with(errors, "cannot accept a connection: Too many open files") >= 1u, errors);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace service
