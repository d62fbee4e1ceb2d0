// Clients that others have written, where they are installed.

#include <csignal>
#include <string>
#include <vector>

#ifdef KEYVAL_WITH_HIREDIS
#include <hiredis/hiredis.h>
#endif

#include "server.hpp"

namespace keyval {
namespace {

struct serving {
  program server{"keyval", {"--workers", "2"}};
  std::string port = std::to_string(samples::port_of(server));

  std::vector<std::string> run(const std::string& client, std::vector<std::string> arguments) {
    std::vector<std::string> all{"-p", port};
    all.insert(all.end(), arguments.begin(), arguments.end());
    program running{path_of(client), all};
    std::vector<std::string> lines = running.lines();
    BOOST_TEST(running.exit_code() == 0);
    BOOST_TEST(running.error_text() == "");
    return lines;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(clients_, serving, *boost::unit_test::label("sample"))

BOOST_AUTO_TEST_CASE(redis_cli_works) {
  if (!is_installed("redis-cli")) return;
  using lines = std::vector<std::string>;
  BOOST_TEST((run("redis-cli", {"SET", "a", "1", "EX", "100"}) == lines{"OK"}));
  BOOST_TEST((run("redis-cli", {"INCR", "a"}) == lines{"2"}));
  BOOST_TEST((run("redis-cli", {"RPUSH", "l", "x", "y"}) == lines{"2"}));
  BOOST_TEST((run("redis-cli", {"-3", "LRANGE", "l", "0", "-1"}) == lines{"x", "y"}));
  BOOST_TEST((run("redis-cli", {"GET", "l"}) ==
              lines{"WRONGTYPE Operation against a key holding the wrong kind of value", ""}));
  BOOST_TEST(run("redis-cli", {"COMMAND"}).size() > 100U);
}

BOOST_AUTO_TEST_CASE(redis_benchmark_runs_without_errors) {
  if (!is_installed("redis-benchmark")) return;
  std::string tests =
      "ping_inline,ping_mbulk,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,mset,lrange_100";
  auto lines = run("redis-benchmark", {"-n", "2000", "-P", "8", "--csv", "-t", tests});
  BOOST_TEST(lines.size() == 15U);
}

#ifdef KEYVAL_WITH_HIREDIS
BOOST_AUTO_TEST_CASE(hiredis_works) {
  redisContext* to = redisConnect("127.0.0.1", std::stoi(port));
  BOOST_REQUIRE((to != nullptr && to->err == 0));
  for (int i = 0; i < 1000; ++i) redisAppendCommand(to, "INCR %s", "n");
  for (int i = 1; i <= 1000; ++i) {
    void* found = nullptr;
    BOOST_REQUIRE(redisGetReply(to, &found) == REDIS_OK);
    auto* answer = static_cast<redisReply*>(found);
    BOOST_TEST(answer->type == REDIS_REPLY_INTEGER);
    BOOST_TEST(answer->integer == i);
    freeReplyObject(answer);
  }
  redisFree(to);
}
#endif

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keyval
