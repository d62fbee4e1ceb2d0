#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <samples/forms.hpp>
#include <samples/peer.hpp>
#include <samples/program.hpp>

namespace samples {

namespace {

std::uint64_t bytes_in(const std::string& line) {
  BOOST_REQUIRE_MESSAGE(matches(line, R"(bytes read = \d+)"), "got: " << line);
  return std::stoull(line.substr(line.rfind(' ') + 1));
}

struct running_aggregator {
  running_aggregator(const std::string& form, const char* interval)
      : is_caf{form == "caf"},
        name{form + "_aggregator"},
        server{name, {"--interval", interval}},
        port{port_of(server)} {}

  // One whole connection; its length is with the background task when this returns.
  void send(std::string_view text) {
    peer sender{port};
    sender.write_all(text);
    sender.finish();
  }
  std::uint64_t next_tick() {
    auto line = server.next_line();
    BOOST_REQUIRE(line);
    return bytes_in(*line);
  }
  // The sum of what is still printed after `signal`.
  std::uint64_t rest_after(int signal) {
    server.send_signal(signal);
    std::uint64_t sum = 0;
    for (const auto& line : server.lines()) sum += bytes_in(line);
    BOOST_TEST(server.exit_code() == 0);
    BOOST_TEST(server.error_text() == "");
    return sum;
  }

  bool is_caf;  // CAF does not tell a broken connection from one that has been read to its end.
  std::string name;
  program server;
  std::uint16_t port;
};

struct with_ticks : running_aggregator {
  explicit with_ticks(const std::string& form) : running_aggregator{form, "0.02"} {}
};

struct without_ticks : running_aggregator {
  explicit without_ticks(const std::string& form) : running_aggregator{form, "3600"} {}
};

}  // namespace

BOOST_AUTO_TEST_SUITE(aggregator_, *boost::unit_test::label("sample"))

TROUPE_FORMS_TEST_CASE(ticks_come_also_when_nothing_was_read, with_ticks) {
  for (int i = 0; i < 3; ++i) BOOST_TEST(next_tick() == 0U);
}

TROUPE_FORMS_TEST_CASE(a_tick_prints_what_has_ended_and_the_sum_starts_again, with_ticks) {
  send(std::string(700, 'x'));
  send(std::string(300, 'x'));
  std::uint64_t sum = 0;
  while (sum < 1000) sum += next_tick();
  BOOST_TEST(sum == 1000U);
  BOOST_TEST(next_tick() == 0U);
  send("seventeen letters");
  while ((sum = next_tick()) == 0) {
  }
  BOOST_TEST(sum == 17U);
  BOOST_TEST(next_tick() == 0U);
}

TROUPE_FORMS_TEST_CASE(a_connection_counts_only_once_it_has_ended, with_ticks) {
  peer open{port};
  open.write_all("half of it, ");
  send("12345");  // The open one was accepted before this one.
  std::uint64_t sum = 0;
  while ((sum = next_tick()) == 0) {
  }
  BOOST_TEST(sum == 5U);
  for (int i = 0; i < 3; ++i) BOOST_TEST(next_tick() == 0U);
  open.write_all("all of it");
  open.finish();
  while ((sum = next_tick()) == 0) {
  }
  BOOST_TEST(sum == 21U);
}

TROUPE_FORMS_TEST_CASE(what_is_left_at_the_end_is_printed_and_no_tick_came_before, without_ticks) {
  for (int i = 0; i < 20; ++i) send("12345");
  server.send_signal(SIGINT);
  std::vector<std::string> expected{"bytes read = 100"};
  BOOST_TEST(server.lines() == expected, boost::test_tools::per_element());
  BOOST_TEST(server.exit_code() == 0);
}

TROUPE_FORMS_TEST_CASE(nothing_is_lost_or_counted_twice_between_ticks_and_the_end, with_ticks) {
  std::vector<peer> peers;
  for (int i = 0; i < 100; ++i) {
    peers.emplace_back(port);
    peers.back().write_all(std::string(static_cast<std::size_t>(i), 'x'));
  }
  for (auto& each : peers) each.finish();
  BOOST_TEST(rest_after(SIGINT) == 99U * 100 / 2);
}

TROUPE_FORMS_TEST_CASE(empty_and_very_long_connections_are_counted, without_ticks) {
  send("");
  send(std::string(100 << 20, 'x'));
  BOOST_TEST(rest_after(SIGINT) == 104'857'600U);
}

TROUPE_FORMS_TEST_CASE(a_broken_connection_counts_nothing_and_leaves_others_alone, without_ticks) {
  peer open{port}, broken{port};
  open.write_all("before");
  broken.write_all("not to be counted");
  broken.reset();
  if (!is_caf) {
    BOOST_TEST(server.next_line().value_or("") == "socket error = Connection reset by peer");
  }
  open.write_all(" and after");
  open.finish();
  send("another");
  BOOST_TEST(rest_after(SIGINT) == 16U + 7U + (is_caf ? 17U : 0U));
}

TROUPE_FORMS_TEST_CASE(ctrl_c_ends_the_listener_and_open_connections_finish, without_ticks) {
  peer open{port};
  open.write_all("before ");
  send("12345");  // The open one was accepted before this one.
  server.send_signal(SIGINT);
  while (!peer::is_refused(port)) {
  }
  open.write_all("and after");
  open.finish();
  std::vector<std::string> expected{"bytes read = 21"};
  BOOST_TEST(server.lines() == expected, boost::test_tools::per_element());
  BOOST_TEST(server.exit_code() == 0);
}

TROUPE_FORMS_TEST_CASE(a_connection_that_never_ends_does_not_hold_up_the_end, without_ticks,
                       *boost::unit_test::label("slow")) {
  peer endless{port};
  endless.write_all("never counted");
  send("counted");
  BOOST_TEST(rest_after(SIGINT) == 7U);
}

TROUPE_FORMS_TEST_CASE(a_port_in_use_is_one_line_and_exit_code_1, without_ticks) {
  program second{name, {"--port", std::to_string(port)}};
  std::vector<std::string> lines = second.lines();
  BOOST_TEST(second.exit_code() == 1);
  BOOST_REQUIRE(lines.size() == 1U);
  BOOST_TEST(lines[0].starts_with("listener error = cannot listen on 127.0.0.1:"), lines[0]);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace samples
