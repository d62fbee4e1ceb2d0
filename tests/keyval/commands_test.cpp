// What each command answers, by a table of what Redis answers; and Redis itself by the same one.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server.hpp"

namespace keyval {
namespace {

std::string unescaped(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char next = text[i];
    if (next == '\\') {
      next = text[++i];
      if (next == 'r') next = '\r';
      if (next == 'n') next = '\n';
      if (next == 'x') {
        next = static_cast<char>(std::stoi(std::string{text.substr(i + 1, 2)}, nullptr, 16));
        i += 2;
      }
    }
    bytes += next;
  }
  return bytes;
}

request words_in(std::string_view line) {
  request all;
  while (!line.empty()) {
    std::size_t end = std::min(line.find(' '), line.size());
    all.push_back(unescaped(line.substr(0, end)));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return all;
}

// Has `answer` asked all that stands in a table. Returns: how many answers were other ones.
template <class Answer>
int count_wrong(const std::string& table, Answer answer) {
  std::ifstream from{TROUPE_SOURCE_DIR "/tests/keyval/answers_" + table + ".txt"};
  BOOST_REQUIRE(from.is_open());
  int asked = 0, wrong = 0;
  std::string line;
  bool has_line = bool(std::getline(from, line));
  while (has_line) {
    std::string question = std::exchange(line, {});
    has_line = bool(std::getline(from, line));
    if (question.empty() || question.starts_with('#')) continue;
    std::string wanted;
    if (line.starts_with("  ")) {
      wanted = unescaped(std::string_view{line}.substr(2));
      has_line = bool(std::getline(from, line));
    }
    std::string got = answer(question);
    ++asked;
    if (got == wanted) continue;
    ++wrong;
    BOOST_TEST_MESSAGE(question << ": wanted '" << wanted << "', got '" << got << "'");
  }
  BOOST_TEST(asked > 20);
  return wrong;
}

int count_wrong_answers(std::uint16_t port) {
  client two{port}, three{port};
  two.ask({"FLUSHALL"});
  int wrong =
      count_wrong("resp2", [&](const std::string& line) { return two.ask(words_in(line)); });
  three.ask({"HELLO", "3"});
  three.ask({"FLUSHALL"});
  wrong += count_wrong("resp3", [&](const std::string& line) { return three.ask(words_in(line)); });
  wrong += count_wrong("bytes", [&](const std::string& line) {
    peer raw{port};
    raw.write_all(unescaped(line));
    raw.shut_down();
    return raw.read_to_end();
  });
  return wrong;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(commands_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(each_answer_is_that_of_redis_byte_for_byte) {
  for (const char* shards : {"1", "3"}) {
    program server{"keyval", {"--workers", "2", "--shards", shards}};
    BOOST_TEST(count_wrong_answers(samples::port_of(server)) == 0);
    server.send_signal(SIGINT);
    BOOST_TEST(server.exit_code() == 0);
    BOOST_TEST(server.error_text() == "");
  }
}

// Where it is installed, the table is held against Redis itself. Of Debian's packages redis-tools
// has the server too, as redis-check-rdb: it is what its name says. The package redis-server would
// start one with the machine.
BOOST_AUTO_TEST_CASE(the_table_is_what_redis_answers) {
  if (!is_installed("redis-check-rdb")) return;
  folder at;
  std::filesystem::create_symlink(path_of("redis-check-rdb"), at.path() + "/redis-server");
  // A port that was free a moment ago: Redis cannot be given port 0.
  std::uint16_t port = 0;
  {
    program free{"keyval"};
    port = samples::port_of(free);
  }
  program redis{at.path() + "/redis-server",
                {"--port", std::to_string(port), "--save", "", "--dir", at.path()}};
  for (bool is_ready = false; !is_ready;) {
    auto line = redis.next_line();
    BOOST_REQUIRE(line);
    is_ready = line->find("eady to accept connections") != std::string::npos;
  }
  BOOST_TEST(count_wrong_answers(port) == 0);
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order) {
  program server{"keyval", {"--workers", "2", "--shards", "4"}};
  std::uint16_t port = samples::port_of(server);
  std::vector<client> all;
  for (int each = 0; each < 8; ++each) {
    all.emplace_back(port);
    std::string bytes;
    for (int i = 0; i < 1'000; ++i) {
      std::string key = std::to_string(each) + "key" + std::to_string(i % 37);
      bytes += sent({"SET", key, std::to_string(i)}) + sent({"PING"}) + sent({"GET", key});
    }
    all.back().send(bytes + sent({"QUIT"}) + sent({"PING"}));
  }
  std::string wanted;
  for (int i = 0; i < 1'000; ++i) {
    std::string text = std::to_string(i);
    wanted += "+OK\r\n+PONG\r\n$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
  }
  for (client& each : all) BOOST_TEST(each.rest() == wanted + "+OK\r\n");
  server.send_signal(SIGINT);
  BOOST_TEST(server.exit_code() == 0);
  BOOST_TEST(server.error_text() == "");
}

BOOST_AUTO_TEST_CASE(what_is_published_goes_to_all_who_listen_in_order) {
  program server{"keyval", {"--workers", "2"}};
  std::uint16_t port = samples::port_of(server);
  client ann{port}, bob{port}, carl{port};
  BOOST_TEST(ann.ask({"SUBSCRIBE", "tea"}) == "*3\r\n$9\r\nsubscribe\r\n$3\r\ntea\r\n:1\r\n");
  bob.ask({"HELLO", "3"});
  BOOST_TEST(bob.ask({"SUBSCRIBE", "tea", "x"}) == ">3\r\n$9\r\nsubscribe\r\n$3\r\ntea\r\n:1\r\n");
  BOOST_TEST(bob.answer() == ">3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:2\r\n");
  for (int i = 0; i < 100; ++i) {
    BOOST_TEST(carl.ask({"PUBLISH", "tea", std::to_string(i)}) == ":2\r\n");
  }
  BOOST_TEST(carl.ask({"PUBLISH", "coffee", "none"}) == ":0\r\n");
  for (int i = 0; i < 100; ++i) {
    std::string text = std::to_string(i);
    std::string news = "3\r\n$7\r\nmessage\r\n$3\r\ntea\r\n$" + std::to_string(text.size()) +
                       "\r\n" + text + "\r\n";
    BOOST_TEST(ann.answer() == "*" + news);
    BOOST_TEST(bob.answer() == ">" + news);
  }
  // With RESP3 one may listen and ask.
  BOOST_TEST(bob.ask({"SET", "a", "1"}) == "+OK\r\n");
  BOOST_TEST(ann.ask({"UNSUBSCRIBE"}) == "*3\r\n$11\r\nunsubscribe\r\n$3\r\ntea\r\n:0\r\n");
  BOOST_TEST(carl.ask({"PUBLISH", "tea", "last"}) == ":1\r\n");
  BOOST_TEST(ann.ask({"GET", "a"}) == "$1\r\n1\r\n");
}

BOOST_AUTO_TEST_CASE(keys_go_when_they_are_over_also_without_being_asked_for) {
  program server{"keyval", {"--shards", "2"}};
  client to{samples::port_of(server)};
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST(to.ask({"SET", "key" + std::to_string(i), "x", "PX", "1"}) == "+OK\r\n");
  }
  BOOST_TEST(to.ask({"SET", "stays", "x", "EX", "1000"}) == "+OK\r\n");
  // DBSIZE looks at no key: they have to go by themselves.
  while (to.ask({"DBSIZE"}) != ":1\r\n") {
  }
  BOOST_TEST(to.ask({"GET", "stays"}) == "$1\r\nx\r\n");
}

BOOST_AUTO_TEST_CASE(one_connection_too_many_is_told_so) {
  program server{"keyval", {"--max-connections", "2"}};
  std::uint16_t port = samples::port_of(server);
  client first{port};
  BOOST_TEST(first.ask({"PING"}) == "+PONG\r\n");
  {
    client second{port};
    BOOST_TEST(second.ask({"PING"}) == "+PONG\r\n");
    client third{port};
    BOOST_TEST(third.rest() == "-ERR max number of clients reached\r\n");
    second.ask({"QUIT"});
    BOOST_TEST(second.rest() == "");
  }
  for (bool is_in = false; !is_in;) {
    client next{port};
    next.send(sent({"ECHO", "x"}));
    is_in = next.answer() == "$1\r\nx\r\n";
  }
}

BOOST_AUTO_TEST_CASE(a_value_above_the_limit_is_refused_before_it_has_come) {
  program server{"keyval", {"--max-value-bytes", "1000"}};
  client to{samples::port_of(server)};
  BOOST_TEST(to.ask({"SET", "a", std::string(1000, 'x')}) == "+OK\r\n");
  to.send("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1001\r\n");
  BOOST_TEST(to.rest() == "-ERR Protocol error: invalid bulk length\r\n");
}

BOOST_AUTO_TEST_CASE(a_stop_does_not_wait_for_peers_that_do_not_read) {
  program server{"keyval", {"--workers", "2"}};
  std::uint16_t port = samples::port_of(server);
  client asking{port}, listening{port}, other{port};
  std::string large(3'000'000, 'x');
  other.ask({"SET", "a", large});
  std::string all;
  for (int i = 0; i < 20; ++i) all += "GET a\r\n";
  asking.send(all);
  listening.ask({"SUBSCRIBE", "tea"});
  for (int i = 0; i < 5; ++i) BOOST_TEST(other.ask({"PUBLISH", "tea", large}) == ":1\r\n");
  server.send_signal(SIGTERM);
  BOOST_TEST(server.exit_code() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keyval
