// What a journal keeps: over a stop, over kills, and with a tail that is cut off.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "server.hpp"

namespace keyval {
namespace {

struct serving {
  explicit serving(const folder& at, std::vector<std::string> more = {})
      : server{"keyval", with_journal(at, std::move(more))} {
    auto line = server.next_line();
    BOOST_REQUIRE(line);
    replayed = *line;
    port = samples::port_of(server);
  }
  static std::vector<std::string> with_journal(const folder& at, std::vector<std::string> more) {
    std::vector<std::string> all{"--journal", at.file(), "--workers", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  void end(int signal = SIGTERM) {
    server.send_signal(signal);
    BOOST_TEST(server.exit_code() == (signal == SIGKILL ? 128 + SIGKILL : 0));
    BOOST_TEST(server.error_text() == "");
  }

  program server;
  std::string replayed;
  std::uint16_t port = 0;
};

int number_in(const std::string& bulk) {
  return bulk == "$-1\r\n" ? 0 : std::stoi(bulk.substr(bulk.find('\n') + 1));
}

// One that writes numbers, until its server is killed: sets a key, and adds to a list.
class writer {
public:
  explicit writer(int number) : key_{"w" + std::to_string(number)} {}

  // Checks that all is there that was acknowledged, and nothing else but what was begun.
  void check(client& by) {
    int stored = number_in(by.ask({"GET", key_}));
    BOOST_TEST(stored >= acknowledged_);
    BOOST_TEST(stored <= begun_);
    std::string list = by.ask({"LRANGE", key_ + ":all", "0", "-1"});
    int count = std::stoi(list.substr(1));
    BOOST_TEST(count >= acknowledged_ - first_);
    std::string wanted = "*" + std::to_string(count) + "\r\n";
    for (int i = 1; i <= count; ++i) {
      std::string text = std::to_string(first_ + i);
      wanted += "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
    }
    BOOST_TEST(list == wanted);
    by.ask({"DEL", key_ + ":all"});
    first_ = acknowledged_ = begun_ = stored;
  }

  // Writes on, several at a time, until the connection breaks.
  void run(peer to) {
    constexpr int at_once = 4;
    for (;;) {
      std::string bytes;
      for (int i = 1; i <= at_once; ++i) {
        std::string text = std::to_string(begun_ + i);
        bytes += sent({"SET", key_, text}) + sent({"RPUSH", key_ + ":all", text});
      }
      begun_ += at_once;
      if (!to.try_write_all(bytes)) return;
      for (int i = 0; i < at_once; ++i) {
        if (to.try_read_line() != "+OK" || to.try_read_line().empty()) return;
        ++acknowledged_;
      }
    }
  }
  [[nodiscard]] int acknowledged() const noexcept { return acknowledged_; }

private:
  std::string key_;
  int first_ = 0, acknowledged_ = 0, begun_ = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(restart_, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(what_was_written_is_there_after_a_stop_with_any_number_of_shards) {
  folder at;
  {
    serving first{at, {"--shards", "3"}};
    BOOST_TEST(first.replayed == "journal: 0 changes in 0 bytes");
    client to{first.port};
    to.ask({"SET", "a", "1"});
    to.ask({"MSET", "b", "2", "c", "3", "d", "4"});
    to.ask({"DEL", "b"});
    to.ask({"RPUSH", "l", "x", "y"});
    to.ask({"SET", "t", "5", "EX", "1000"});
    to.ask({"SET", "over", "5", "PX", "1"});
    first.end();
  }
  for (const char* shards : {"1", "4"}) {
    serving again{at, {"--shards", shards}};
    BOOST_TEST(again.replayed.starts_with("journal: "));
    client to{again.port};
    BOOST_TEST(to.ask({"MGET", "a", "b", "c", "d"}) ==
               "*4\r\n$1\r\n1\r\n$-1\r\n$1\r\n3\r\n$1\r\n4\r\n");
    BOOST_TEST(to.ask({"LRANGE", "l", "0", "-1"}) == "*2\r\n$1\r\nx\r\n$1\r\ny\r\n");
    BOOST_TEST(to.ask({"TTL", "t"}) != ":-1\r\n");
    BOOST_TEST(to.ask({"GET", "over"}) == "$-1\r\n");
    again.end();
  }
}

BOOST_AUTO_TEST_CASE(flushall_empties_the_next_run_too) {
  folder at;
  {
    serving first{at, {"--shards", "3"}};
    client to{first.port};
    for (int i = 0; i < 20; ++i) to.ask({"SET", "key" + std::to_string(i), "x"});
    to.ask({"FLUSHALL"});
    to.ask({"SET", "key3", "later"});
    first.end();
  }
  serving again{at};
  client to{again.port};
  BOOST_TEST(to.ask({"DBSIZE"}) == ":1\r\n");
  BOOST_TEST(to.ask({"GET", "key3"}) == "$5\r\nlater\r\n");
}

BOOST_AUTO_TEST_CASE(a_torn_tail_is_cut_off_and_told_of) {
  folder at;
  {
    serving first{at};
    client to{first.port};
    to.ask({"SET", "a", "1"});
    to.ask({"SET", "b", "2"});
    first.end();
  }
  auto size = std::filesystem::file_size(at.file());
  std::filesystem::resize_file(at.file(), size - 3);
  {
    serving again{at};
    BOOST_TEST(again.replayed.starts_with("journal: 1 changes in "));
    BOOST_TEST(again.replayed.ends_with(" bytes that follow are no whole record, and are cut off"));
    client to{again.port};
    BOOST_TEST(to.ask({"MGET", "a", "b"}) == "*2\r\n$1\r\n1\r\n$-1\r\n");
    to.ask({"SET", "c", "3"});
    again.end();
  }
  serving last{at};
  BOOST_TEST(last.replayed.find("cut off") == std::string::npos);
  client to{last.port};
  BOOST_TEST(to.ask({"MGET", "a", "b", "c"}) == "*3\r\n$1\r\n1\r\n$-1\r\n$1\r\n3\r\n");
}

// The long form is `./dev reliability --figure journal`.
BOOST_AUTO_TEST_CASE(no_acknowledged_write_is_lost_by_a_kill) {
  folder at;
  std::mt19937 random{7};
  std::vector<writer> writers;
  for (int i = 0; i < 4; ++i) writers.emplace_back(i);
  for (int kill = 0; kill < 5; ++kill) {
    serving now{at, {"--shards", "2"}};
    client to{now.port};
    for (writer& each : writers) each.check(to);
    std::vector<std::thread> threads;
    for (writer& each : writers) threads.emplace_back([&] { each.run(peer{now.port}); });
    // At some number of writes, so that nobody has to sleep.
    int wanted = number_in(to.ask({"GET", "w0"})) + std::uniform_int_distribution{50, 400}(random);
    while (number_in(to.ask({"GET", "w0"})) < wanted) {
    }
    now.end(SIGKILL);
    for (auto& each : threads) each.join();
    for (const writer& each : writers) BOOST_TEST(each.acknowledged() > 0);
  }
  serving last{at};
  client to{last.port};
  for (writer& each : writers) each.check(to);
}

BOOST_AUTO_TEST_CASE(a_journal_that_cannot_be_opened_is_one_line) {
  program server{"keyval", {"--journal", "/nowhere/journal"}};
  BOOST_TEST(server.exit_code() == 1);
  BOOST_TEST(server.error_text().starts_with("keyval: cannot open /nowhere/journal"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keyval
