#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "../../samples/keyval/5_product/batch.hpp"
#include "../../samples/keyval/5_product/store.hpp"

namespace keyval {
namespace {

// Shards without actors: a batch is done by stores, part by part.
class shards {
public:
  explicit shards(std::size_t count) : stores_(count, store{false}), batch_{count} {}

  void ask(const std::vector<std::string_view>& asked) {
    const command* what = find_command(asked[0]);
    BOOST_REQUIRE(what != nullptr);
    batch_.add(*what, asked, nullptr);
  }
  void know(std::string_view status) { batch_.add_known(protocol::resp2).status(status); }
  std::string answer() {
    for (std::size_t i = 0; i < stores_.size(); ++i) {
      part& each = *batch_.parts()[i];
      for (const part::call& call : each.calls) {
        (stores_[i].*call.what->run)(each.words_of(call), each.out);
        each.ends.push_back(each.out.bytes.size());
      }
    }
    answers out;
    batch_.take_answers(out);
    return out.bytes;
  }
  // How many shards have something to do.
  std::size_t busy() {
    std::size_t count = 0;
    for (const part_ptr& each : batch_.parts()) count += each->calls.empty() ? 0U : 1U;
    return count;
  }

private:
  std::vector<store> stores_;
  batch batch_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(batch_)

BOOST_AUTO_TEST_CASE(answers_come_in_the_order_of_the_requests) {
  for (std::size_t count : {1U, 2U, 7U}) {
    shards all{count};
    std::string wanted;
    std::vector<std::string> keys;
    for (int i = 0; i < 50; ++i) keys.push_back("key" + std::to_string(i));
    for (const auto& key : keys) {
      all.ask({"SET", key, key});
      all.know("between");
      all.ask({"APPEND", key, "x"});
      all.ask({"GET", key});
      wanted += "+OK\r\n+between\r\n:" + std::to_string(key.size() + 1) + "\r\n$" +
                std::to_string(key.size() + 1) + "\r\n" + key + "x\r\n";
    }
    BOOST_TEST(all.busy() == count);
    BOOST_TEST(all.answer() == wanted);
    BOOST_TEST(all.answer() == "");
  }
}

BOOST_AUTO_TEST_CASE(keys_of_several_shards_make_one_answer) {
  for (std::size_t count : {1U, 2U, 7U}) {
    shards all{count};
    all.ask({"MSET", "a", "1", "b", "2", "c", "3", "a", "4"});
    all.ask({"MGET", "c", "none", "a", "b"});
    all.ask({"EXISTS", "a", "a", "none", "c"});
    all.ask({"DBSIZE"});
    all.ask({"DEL", "a", "b", "none"});
    all.ask({"KEYS", "*"});
    all.ask({"FLUSHALL"});
    all.ask({"DBSIZE"});
    BOOST_TEST(all.answer() ==
               "+OK\r\n*4\r\n$1\r\n3\r\n$-1\r\n$1\r\n4\r\n$1\r\n2\r\n:3\r\n:3\r\n:2\r\n"
               "*1\r\n$1\r\nc\r\n+OK\r\n:0\r\n");
  }
}

BOOST_AUTO_TEST_CASE(what_is_known_needs_no_shard) {
  shards all{3};
  all.know("one");
  all.know("two");
  BOOST_TEST(all.busy() == 0U);
  BOOST_TEST(all.answer() == "+one\r\n+two\r\n");
}

BOOST_AUTO_TEST_CASE(names_are_found_however_they_are_spelled) {
  BOOST_TEST((find_command("GET") == find_command("get")));
  BOOST_TEST((find_command("gEt") != nullptr));
  for (const command& each : all_commands()) {
    BOOST_TEST((find_command(each.name) == &each), each.name);
  }
  using namespace std::string_view_literals;
  for (auto wrong : {""sv, "ge"sv, "gett"sv, "\0get"sv, "a name that is much too long"sv}) {
    BOOST_TEST((find_command(wrong) == nullptr));
  }
}

BOOST_AUTO_TEST_SUITE_END()

// What the log of a store says, done once more, gives the same store.
BOOST_AUTO_TEST_SUITE(store_log_)

namespace {

using request = std::vector<std::string_view>;

std::string ask(store& of, const request& asked) {
  const command* what = find_command(asked[0]);
  BOOST_REQUIRE(what != nullptr);
  answers out;
  (of.*what->run)(asked, out);
  return out.bytes;
}

store made_of(const std::string& log) {
  requests from;
  store again{false};
  std::string_view rest = log;
  while (!rest.empty()) {
    std::span<char> room = from.room();
    std::size_t count = std::min(room.size(), rest.size());
    rest.copy(room.data(), count);
    from.took(count);
    rest.remove_prefix(count);
    while (from.next() == requests::found::request) {
      ask(again, {from.request().begin(), from.request().end()});
    }
  }
  return again;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_changes_nothing_is_not_logged) {
  store of{true};
  for (const request& each : std::vector<request>{{"GET", "a"},
                                                  {"DEL", "a"},
                                                  {"LPOP", "a"},
                                                  {"SET", "a", "1", "XX"},
                                                  {"EXPIRE", "a", "1"},
                                                  {"PERSIST", "a"},
                                                  {"SET", "a", "1", "EX", "0"},
                                                  {"HSET", "a", "f"}}) {
    ask(of, each);
    BOOST_TEST(of.take_log() == "", each[0]);
  }
}

BOOST_AUTO_TEST_CASE(times_are_logged_as_points_in_time) {
  store of{true};
  of.go_to(1'000'000);
  ask(of, {"SET", "a", "1", "EX", "10"});
  ask(of, {"SET", "b", "1"});
  ask(of, {"EXPIRE", "b", "20"});
  store again = made_of(of.take_log());
  again.go_to(1'009'999);
  BOOST_TEST(ask(again, {"GET", "a"}) == "$1\r\n1\r\n");
  again.go_to(1'010'000);
  BOOST_TEST(ask(again, {"GET", "a"}) == "$-1\r\n");
  BOOST_TEST(ask(again, {"TTL", "b"}) == ":10\r\n");
}

BOOST_AUTO_TEST_CASE(a_key_that_was_over_is_over_in_the_log) {
  store of{true};
  of.go_to(1'000);
  ask(of, {"SET", "a", "5", "PX", "10"});
  of.go_to(1'005);
  ask(of, {"INCR", "a"});
  ask(of, {"PERSIST", "a"});
  ask(of, {"SET", "b", "5", "PX", "10"});
  of.go_to(2'000);
  ask(of, {"INCR", "b"});
  store again = made_of(of.take_log());
  again.go_to(9'000);
  BOOST_TEST(ask(again, {"GET", "a"}) == "$1\r\n6\r\n");
  BOOST_TEST(ask(again, {"GET", "b"}) == "$1\r\n1\r\n");
}

BOOST_AUTO_TEST_CASE(all_types_come_back) {
  store of{true};
  ask(of, {"RPUSH", "l", "a", "b", "c"});
  ask(of, {"LPOP", "l"});
  ask(of, {"RPOP", "l", "1"});
  ask(of, {"HSET", "h", "f", "v"});
  ask(of, {"SADD", "s", "m"});
  ask(of, {"APPEND", "t", "x"});
  ask(of, {"MSET", "m", "1"});
  ask(of, {"SET", "gone", "1"});
  ask(of, {"DEL", "gone"});
  store again = made_of(of.take_log());
  BOOST_TEST(ask(again, {"LRANGE", "l", "0", "-1"}) == "*1\r\n$1\r\nb\r\n");
  BOOST_TEST(ask(again, {"HGET", "h", "f"}) == "$1\r\nv\r\n");
  BOOST_TEST(ask(again, {"SMEMBERS", "s"}) == "*1\r\n$1\r\nm\r\n");
  BOOST_TEST(ask(again, {"GET", "t"}) == "$1\r\nx\r\n");
  BOOST_TEST(ask(again, {"GET", "m"}) == "$1\r\n1\r\n");
  BOOST_TEST(ask(again, {"DBSIZE"}) == ":5\r\n");
  ask(of, {"FLUSHALL"});
  BOOST_TEST(of.take_log().size() > 0U);
}

BOOST_AUTO_TEST_CASE(keys_are_swept_in_the_order_of_their_times) {
  store of{true};
  of.go_to(100);
  ask(of, {"SET", "a", "1", "PX", "30"});
  ask(of, {"SET", "b", "1", "PX", "10"});
  ask(of, {"SET", "c", "1", "PX", "20"});
  BOOST_TEST((of.next_expiry() == 110));
  of.go_to(125);
  BOOST_TEST(of.sweep(1));
  BOOST_TEST((of.next_expiry() == 120));
  BOOST_TEST(!of.sweep(10));
  BOOST_TEST(ask(of, {"KEYS", "*"}) == "*1\r\n$1\r\na\r\n");
  of.go_to(1'000);
  BOOST_TEST(!of.sweep(10));
  BOOST_TEST(!of.next_expiry());
}

BOOST_AUTO_TEST_CASE(patterns_stand_for_what_redis_says) {
  BOOST_TEST(matches("*", ""));
  BOOST_TEST(matches("h?llo", "hello"));
  BOOST_TEST(!matches("h?llo", "hllo"));
  BOOST_TEST(matches("h*llo", "heeeello"));
  BOOST_TEST(matches("h[ae]llo", "hallo"));
  BOOST_TEST(!matches("h[^e]llo", "hello"));
  BOOST_TEST(matches("h[a-c]llo", "hbllo"));
  BOOST_TEST(matches("h\\*llo", "h*llo"));
  BOOST_TEST(!matches("h\\*llo", "hello"));
  BOOST_TEST(matches("*a*b*", "xxaxxbxx"));
  BOOST_TEST(!matches("*a*b", "xxaxxbxx"));
  BOOST_TEST(!matches("a*******************************b", std::string(20'000, 'a')));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keyval
