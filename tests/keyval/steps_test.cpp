// The steps that the server is grown in: each does what its page says.

#include <csignal>
#include <string>

#include "server.hpp"

namespace keyval {
namespace {

struct step {
  explicit step(const std::string& name) : server{name} {}

  void ends() {
    server.send_signal(SIGINT);
    BOOST_TEST(server.exit_code() == 0);
    BOOST_TEST(server.error_text() == "");
  }

  program server;
  client to{samples::port_of(server)};
};

void stores_values(step& of) {
  BOOST_TEST(of.to.ask({"GET", "a"}) == "$-1\r\n");
  BOOST_TEST(of.to.ask({"SET", "a", "1"}) == "+OK\r\n");
  BOOST_TEST(of.to.ask({"GET", "a"}) == "$1\r\n1\r\n");
  BOOST_TEST(of.to.ask({"DEL", "a"}) == ":1\r\n");
  BOOST_TEST(of.to.ask({"DEL", "a"}) == ":0\r\n");
  BOOST_TEST(of.to.ask({"FOO"}) == "-ERR unknown command 'FOO'\r\n");
  std::string all, wanted;
  for (int i = 0; i < 500; ++i) {
    all += sent({"SET", "k" + std::to_string(i), "x"}) + sent({"GET", "k" + std::to_string(i)});
    wanted += "+OK\r\n$1\r\nx\r\n";
  }
  of.to.send(all + "*x\r\n");
  BOOST_TEST(of.to.rest() == wanted + "-ERR Protocol error: invalid multibulk length\r\n");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(steps_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(the_first_sends_back_what_comes) {
  step echo{"keyval_1_echo"};
  BOOST_TEST(echo.to.ask({"any"}) == "*1\r\n$3\r\nany\r\n");
  echo.ends();
}

BOOST_AUTO_TEST_CASE(the_second_reads_requests) {
  step parse{"keyval_2_parse"};
  BOOST_TEST(parse.to.ask({"PING"}) == "+PONG\r\n");
  BOOST_TEST(parse.to.ask({"ECHO", "a b"}) == "$3\r\na b\r\n");
  parse.to.send("ECHO 'a b'\r\nPING\r\n");
  BOOST_TEST(parse.to.answer() == "$3\r\na b\r\n");
  BOOST_TEST(parse.to.answer() == "+PONG\r\n");
  parse.ends();
}

BOOST_AUTO_TEST_CASE(the_third_has_values) {
  step store{"keyval_3_store"};
  stores_values(store);
  store.ends();
}

BOOST_AUTO_TEST_CASE(the_fourth_has_them_in_parts_and_for_a_time) {
  step shards{"keyval_4_shards"};
  BOOST_TEST(shards.to.ask({"SET", "b", "1", "PX", "1"}) == "+OK\r\n");
  while (shards.to.ask({"GET", "b"}) != "$-1\r\n") {
  }
  BOOST_TEST(shards.to.ask({"SET", "b", "1", "PX", "0"}) == "-ERR syntax error\r\n");
  stores_values(shards);
  shards.ends();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keyval
