#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <samples/forms.hpp>
#include <samples/peer.hpp>
#include <samples/program.hpp>

namespace samples {

namespace {

struct running_listener {
  explicit running_listener(const std::string& form)
      : is_caf{form == "caf"}, name{form + "_listener"} {}

  bool is_caf;  // CAF does not say what a connection has died of, nor that an accept has failed.
  std::string name;
  program server{name};
  std::uint16_t port = port_of(server);

  void greets_another() { BOOST_TEST(peer{port}.read_to_end() == "hello world"); }
  void ends_after(int signal) {
    server.send_signal(signal);
    BOOST_TEST(server.exit_code() == 0);
    BOOST_TEST(server.error_text() == "");
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listener_, *boost::unit_test::label("sample"))

TROUPE_FORMS_TEST_CASE(every_connection_gets_exactly_hello_world_and_is_closed, running_listener) {
  std::vector<peer> peers;
  for (int i = 0; i < 50; ++i) peers.emplace_back(port);
  for (auto& each : peers) BOOST_TEST(each.read_to_end() == "hello world");
  ends_after(SIGINT);
  BOOST_TEST(server.lines().empty());
}

TROUPE_FORMS_TEST_CASE(a_connection_that_fails_prints_its_error_and_leaves_the_others_alone,
                       running_listener) {
  peer early{port};
  early.wait_for_bytes();
  server.pause();  // So that the connection is broken before the listener sees it.
  peer broken{port}, late{port};
  broken.reset();
  server.send_signal(SIGCONT);
  auto line = server.next_line();
  BOOST_REQUIRE(line);
  const char* expected = is_caf ? "socket error = connection closed"
                                : "socket error = (Connection reset by peer|Broken pipe)";
  BOOST_TEST(matches(*line, expected), *line);
  BOOST_TEST(early.read_to_end() == "hello world");
  BOOST_TEST(late.read_to_end() == "hello world");
  greets_another();
  ends_after(SIGINT);
  BOOST_TEST(server.lines().empty());
}

TROUPE_FORMS_TEST_CASE(peers_that_send_garbage_or_stay_silent_do_not_disturb_others,
                       running_listener) {
  peer silent{port}, noisy{port};
  noisy.try_write(std::string(100'000, '\xff'));
  greets_another();
  BOOST_TEST(silent.read_to_end() == "hello world");
  ends_after(SIGINT);
}

TROUPE_FORMS_TEST_CASE(an_accept_that_fails_is_printed_and_the_listener_goes_on, running_listener) {
  rlim_t former = server.limit_descriptors(3);
  peer waiting{port};
  if (!is_caf) {
    BOOST_TEST(server.next_line().value_or("") == "listener error = Too many open files");
  }
  server.limit_descriptors(former);
  BOOST_TEST(waiting.read_to_end() == "hello world");
  greets_another();
  ends_after(SIGINT);
}

TROUPE_FORMS_TEST_CASE(ctrl_c_ends_the_listener_with_exit_code_0, running_listener) {
  greets_another();
  ends_after(SIGINT);
  BOOST_TEST(peer::is_refused(port));
}

TROUPE_FORMS_TEST_CASE(a_termination_signal_ends_it_as_ctrl_c_does, running_listener) {
  ends_after(SIGTERM);
  BOOST_TEST(peer::is_refused(port));
}

TROUPE_FORMS_TEST_CASE(a_peer_that_reads_late_gets_its_bytes_after_ctrl_c, running_listener) {
  peer slow{port};
  slow.wait_for_bytes();
  ends_after(SIGINT);
  BOOST_TEST(slow.read_to_end() == "hello world");
}

TROUPE_FORMS_TEST_CASE(a_port_in_use_is_one_line_and_exit_code_1, running_listener) {
  program second{name, {"--port", std::to_string(port)}};
  std::vector<std::string> lines = second.lines();
  BOOST_TEST(second.exit_code() == 1);
  BOOST_TEST(second.error_text() == "");
  BOOST_REQUIRE(lines.size() == 1U);
  std::string expected = "listener error = cannot listen on 127.0.0.1:" + std::to_string(port) +
                         (is_caf ? ": system_error(cannot_open_port" : ": Address already in use");
  BOOST_TEST(lines[0].starts_with(expected), lines[0]);
  greets_another();
}

TROUPE_FORMS_TEST_CASE(a_given_port_is_used, running_listener) {
  auto wanted = 20'000 + ::getpid() % 10'000;  // Below those that the system gives to clients.
  program second{name, {"--port", std::to_string(wanted)}};
  BOOST_TEST(port_of(second) == wanted);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples
