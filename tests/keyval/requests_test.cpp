#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "../../samples/keyval/2_parse/answers.hpp"
#include "../../samples/keyval/2_parse/numbers.hpp"
#include "../../samples/keyval/2_parse/requests.hpp"

namespace keyval {
namespace {

using texts = std::vector<std::string>;

struct reading {
  std::vector<texts> all;
  std::string complaint;
};

// What is read of `bytes` when they come in pieces of that size.
reading read(std::string_view bytes, std::size_t piece = SIZE_MAX, request_limits limits = {}) {
  requests from{limits};
  reading seen;
  while (!bytes.empty() && seen.complaint.empty()) {
    std::span<char> room = from.room();
    std::size_t count = std::min({room.size(), bytes.size(), piece});
    bytes.copy(room.data(), count);
    from.took(count);
    bytes.remove_prefix(count);
    requests::found found{};
    while ((found = from.next()) == requests::found::request) {
      seen.all.emplace_back(from.request().begin(), from.request().end());
    }
    if (found == requests::found::garbage) seen.complaint = from.complaint();
  }
  return seen;
}

void reads(std::string_view bytes, const std::vector<texts>& wanted) {
  for (std::size_t piece : {SIZE_MAX, std::size_t{1}, std::size_t{2}, std::size_t{3}}) {
    reading seen = read(bytes, piece);
    BOOST_TEST((seen.all == wanted), bytes << " in pieces of " << piece);
    BOOST_TEST(seen.complaint == "");
  }
}

void complains(std::string_view bytes, std::string_view of, const std::vector<texts>& before = {}) {
  for (std::size_t piece : {SIZE_MAX, std::size_t{1}, std::size_t{5}}) {
    reading seen = read(bytes, piece);
    BOOST_TEST(seen.complaint == "ERR Protocol error: " + std::string{of});
    BOOST_TEST((seen.all == before));
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(requests_)

BOOST_AUTO_TEST_CASE(lists_of_strings_are_requests_however_they_come) {
  reads("*1\r\n$4\r\nPING\r\n", {{"PING"}});
  reads("*2\r\n$4\r\nECHO\r\n$5\r\nhe\r\nl\r\n*1\r\n$0\r\n\r\n", {{"ECHO", "he\r\nl"}, {""}});
  reads("*0\r\n*-1\r\n*1\r\n$1\r\nx\r\n", {{"x"}});
}

BOOST_AUTO_TEST_CASE(lines_are_requests_cut_at_their_spaces) {
  reads("PING\r\n  get   a \n\r\n\n*1\r\n$1\r\nx\r\nPING\n",
        {{"PING"}, {"get", "a"}, {"x"}, {"PING"}});
}

BOOST_AUTO_TEST_CASE(quotes_hold_a_word_together) {
  reads("set a \"b c\"\r\n", {{"set", "a", "b c"}});
  reads(R"(x "\x41\n\"\\" 'it\'s' '\n' "")"
        "\r\n",
        {{"x", "A\n\"\\", "it's", "\\n", ""}});
  reads("a\"b c\"\r\n", {{"ab c"}});
}

BOOST_AUTO_TEST_CASE(a_quote_that_does_not_end_is_refused) {
  complains("set a \"x\r\n", "unbalanced quotes in request");
  complains("set a 'x\r\n", "unbalanced quotes in request");
  complains("set a \"x\"y\r\n", "unbalanced quotes in request");
  complains("PING\r\n\"\r\nPING\r\n", "unbalanced quotes in request", {{"PING"}});
}

BOOST_AUTO_TEST_CASE(what_is_no_list_of_strings_is_refused) {
  complains("*a\r\n", "invalid multibulk length");
  complains("*01\r\n", "invalid multibulk length");
  complains("*1048577\r\n", "invalid multibulk length");
  complains("*1\r\n:1\r\n", "expected '$', got ':'");
  complains("*1\r\n$-1\r\n", "invalid bulk length");
  complains("*1\r\n$536870913\r\n", "invalid bulk length");
  complains("*1\r\n$x\r\n", "invalid bulk length");
}

BOOST_AUTO_TEST_CASE(what_never_ends_is_refused) {
  std::string much(70'000, '1');
  complains(much, "too big inline request");
  complains("*" + much, "too big mbulk count string");
  complains("*1\r\n$" + much, "too big bulk count string");
}

BOOST_AUTO_TEST_CASE(a_limit_of_words_is_kept) {
  request_limits limits;
  limits.max_word_bytes = 3;
  BOOST_TEST(read("*1\r\n$3\r\nabc\r\n", SIZE_MAX, limits).all.size() == 1U);
  BOOST_TEST(read("*1\r\n$4\r\nabcd\r\n", SIZE_MAX, limits).complaint ==
             "ERR Protocol error: invalid bulk length");
}

BOOST_AUTO_TEST_CASE(a_word_larger_than_any_read_comes_whole) {
  std::string large(1'000'000, 'z');
  std::string bytes = "*2\r\n$1\r\na\r\n$1000000\r\n" + large + "\r\n*1\r\n$1\r\nb\r\n";
  reading seen = read(bytes, 10'000);
  BOOST_REQUIRE(seen.all.size() == 2U);
  BOOST_TEST((seen.all[0] == texts{"a", large}));
  BOOST_TEST((seen.all[1] == texts{"b"}));
}

BOOST_AUTO_TEST_CASE(room_grows_with_what_has_come_and_not_with_what_is_announced) {
  requests from;
  std::string_view head = "*2\r\n$500000000\r\n";
  head.copy(from.room().data(), head.size());
  from.took(head.size());
  BOOST_TEST((from.next() == requests::found::nothing));
  BOOST_TEST(from.room().size() <= 64U * 1024U);
}

BOOST_AUTO_TEST_CASE(words_are_there_until_the_next_read) {
  requests from;
  std::string_view bytes = "*1\r\n$3\r\none\r\n*1\r\n$3\r\ntwo\r\n*1\r\n$3\r\nth";
  bytes.copy(from.room().data(), bytes.size());
  from.took(bytes.size());
  BOOST_TEST((from.next() == requests::found::request));
  std::string_view first = from.request()[0];
  BOOST_TEST((from.next() == requests::found::request));
  BOOST_TEST((from.next() == requests::found::nothing));
  BOOST_TEST(first == "one");
  BOOST_TEST((first.data() > from.bytes().get()));
}

BOOST_AUTO_TEST_CASE(numbers_are_written_in_one_way) {
  BOOST_TEST((number_of("0") == 0));
  BOOST_TEST((number_of("-12") == -12));
  BOOST_TEST((number_of("9223372036854775807") == INT64_MAX));
  BOOST_TEST((number_of("-9223372036854775808") == INT64_MIN));
  for (auto wrong : {"", "-", "+1", "01", "-0", "-01", " 1", "1 ", "1.0", "9223372036854775808"}) {
    BOOST_TEST(!number_of(wrong), wrong);
  }
}

BOOST_AUTO_TEST_CASE(answers_have_the_types_of_their_protocol) {
  answers two;
  two.null();
  two.null_list();
  two.map(1);
  two.set(1);
  two.push(1);
  BOOST_TEST(two.bytes == "$-1\r\n*-1\r\n*2\r\n*1\r\n*1\r\n");
  answers three{"", protocol::resp3};
  three.null();
  three.null_list();
  three.map(1);
  three.set(1);
  three.push(1);
  BOOST_TEST(three.bytes == "_\r\n_\r\n%1\r\n~1\r\n>1\r\n");
}

BOOST_AUTO_TEST_CASE(an_error_is_one_line) {
  answers out;
  out.error("ERR a\r\nb");
  out.status("OK");
  BOOST_TEST(out.bytes == "-ERR a  b\r\n+OK\r\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keyval
