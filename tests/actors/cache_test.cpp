#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <actors/cache.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/spawn.hpp>

#include <captured_log.hpp>
#include <sched/virtual_worker.hpp>
#include <thrown_misuse.hpp>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

using pages = cache<int, std::string>;

struct cached : test::virtual_worker {
  std::map<int, int> loads;  // By key.
  bool fails = false;
  bool breaks = false;

  ref<pages> start(cache_options options = {}) {
    auto load = [this](int key) -> task<std::string> {
      int number = ++loads[key];
      co_await sleep_for(10ms);
      if (fails) throw_error(make_error_code(errc::end_of_stream));
      if (breaks) throw std::runtime_error{"the shelf fell"};
      co_return std::to_string(key) + "#" + std::to_string(number);
    };
    return spawn<pages>(load, options);
  }
  // The value, or the error's words.
  static task<std::string> look(ref<pages> in, int key) {
    auto found = co_await in.ask(get{key});
    co_return found ? *found : found.error().message();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(cache_, cached)

BOOST_AUTO_TEST_CASE(a_value_is_loaded_once_and_then_found) {
  rt.block_on([&]() -> task<> {
    auto c = start();
    for (int i = 0; i < 3; ++i) BOOST_TEST((co_await look(c, 7)) == "7#1");
    auto counts = co_await c.ask(count_cache{});
    BOOST_TEST(counts.hits == 2U);
    BOOST_TEST(counts.misses == 1U);
    BOOST_TEST(counts.loads == 1U);
    BOOST_TEST(counts.entries == 1U);
  });
}

BOOST_AUTO_TEST_CASE(all_who_miss_a_key_at_once_share_one_load_and_others_go_on) {
  rt.block_on([&]() -> task<> {
    auto c = start();
    std::vector<join_handle<std::string>> asking;
    time_point before = now();
    for (int i = 0; i < 50; ++i) asking.push_back(spawn(look, c, i % 2));
    for (std::size_t i = 0; i < 50; ++i) {
      BOOST_TEST((co_await asking[i]) == std::to_string(i % 2) + "#1");
    }
    BOOST_TEST((now() - before < 11ms));
    auto counts = co_await c.ask(count_cache{});
    BOOST_TEST(counts.misses == 50U);
    BOOST_TEST(counts.loads == 2U);
  });
}

BOOST_AUTO_TEST_CASE(a_value_is_good_until_it_expires) {
  rt.block_on([&]() -> task<> {
    auto c = start({.expiry = 1min});
    BOOST_TEST((co_await look(c, 1)) == "1#1");
    co_await sleep_for(59s);
    BOOST_TEST((co_await look(c, 1)) == "1#1");  // Asked for, and no longer good for that.
    co_await sleep_for(1s);
    BOOST_TEST((co_await look(c, 1)) == "1#2");
  });
}

BOOST_AUTO_TEST_CASE(the_one_not_asked_for_longest_is_let_go) {
  rt.block_on([&]() -> task<> {
    auto c = start({.max_entries = 3});
    for (int key : {1, 2, 3}) (void)co_await look(c, key);
    (void)co_await look(c, 1);
    (void)co_await look(c, 4);
    for (int key : {1, 3, 4}) (void)co_await look(c, key);
    BOOST_TEST(loads[1] == 1);
    BOOST_TEST(loads[3] == 1);
    BOOST_TEST(loads[4] == 1);
    (void)co_await look(c, 2);
    BOOST_TEST(loads[2] == 2);
    auto counts = co_await c.ask(count_cache{});
    BOOST_TEST(counts.entries == 3U);
    BOOST_TEST(counts.evicted == 2U);
  });
}

BOOST_AUTO_TEST_CASE(a_failure_goes_to_all_who_wait_and_is_not_kept) {
  rt.block_on([&]() -> task<> {
    auto c = start();
    fails = true;
    auto a = spawn(look, c, 1), b = spawn(look, c, 1);
    std::string words = make_error_code(errc::end_of_stream).message();
    BOOST_TEST((co_await a) == words);
    BOOST_TEST((co_await b) == words);
    BOOST_TEST(loads[1] == 1);
    fails = false;
    BOOST_TEST((co_await look(c, 1)) == "1#2");
  });
}

BOOST_AUTO_TEST_CASE(a_failure_is_kept_for_as_long_as_the_options_say) {
  rt.block_on([&]() -> task<> {
    auto c = start({.negative_expiry = 5s});
    fails = true;
    (void)co_await look(c, 1);
    fails = false;
    co_await sleep_for(4s);
    BOOST_TEST((co_await look(c, 1)) == make_error_code(errc::end_of_stream).message());
    co_await sleep_for(2s);
    BOOST_TEST((co_await look(c, 1)) == "1#2");
    co_await sleep_for(24h);
    BOOST_TEST((co_await look(c, 1)) == "1#2");
  });
}

BOOST_AUTO_TEST_CASE(another_exception_is_receiver_failed_and_a_line_in_the_log) {
  test::captured_log lines;
  breaks = true;
  rt.block_on([&]() -> task<> {
    auto c = start();
    auto found = co_await c.ask(get{1});
    BOOST_TEST((found.error() == ask_errc::receiver_failed));
  });
  BOOST_TEST(lines.count("a cache's loader has failed: the shelf fell") == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_forgotten_while_it_is_loaded_is_not_kept) {
  rt.block_on([&]() -> task<> {
    auto c = start();
    auto asking = spawn(look, c, 1);
    co_await sleep_for(5ms);
    co_await c.send(forget{1});
    BOOST_TEST((co_await asking) == "1#1");
    BOOST_TEST((co_await look(c, 1)) == "1#2");
    co_await c.send(forget{1});
    BOOST_TEST((co_await look(c, 1)) == "1#3");
  });
}

BOOST_AUTO_TEST_CASE(what_is_put_is_found_also_when_a_load_ends_later) {
  rt.block_on([&]() -> task<> {
    auto c = start();
    auto asking = spawn(look, c, 1);
    co_await sleep_for(5ms);
    put<int, std::string> m{1, "new"};
    co_await c.send(take(m));
    BOOST_TEST((co_await look(c, 1)) == "new");
    BOOST_TEST((co_await asking) == "1#1");
    BOOST_TEST((co_await look(c, 1)) == "new");
    BOOST_TEST(loads[1] == 1);
  });
}

BOOST_AUTO_TEST_CASE(a_cache_without_room_is_a_misuse) {
  rt.block_on([&]() -> task<> {
    auto text = test::misuse_of([&] { (void)start({.max_entries = 0}); });
    BOOST_TEST(text.find("max_entries") != std::string::npos, text);
    co_return;
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::actors
