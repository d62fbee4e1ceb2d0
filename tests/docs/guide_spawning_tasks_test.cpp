// The snippets of docs/guide/spawning-tasks.md, in its order; the first is of a sample.

#include <exception>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/runtime/run.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <captured_log.hpp>
#include <collected_failures.hpp>
#include <sched/virtual_worker.hpp>

#include "page_snippets.hpp"

namespace {

troupe::task<int> count_words(std::string text) {
  std::istringstream words{text};
  int count = 0;
  for (std::string word; words >> word;) ++count;
  co_return count;
}

troupe::task<int> one_after_the_other() {
  int count = co_await count_words("to be or not to be");  // Runs here and now.
  count += co_await count_words("that is the question");
  co_return count;
}

troupe::task<int> beside_each_other() {
  auto first = troupe::spawn(count_words, "to be or not to be");  // Runs on some worker.
  auto second = troupe::spawn(count_words, "that is the question");
  int count = co_await first;
  count += co_await second;
  co_return count;
}

troupe::task<> count_into(int& count, const std::string& text) {
  count = co_await count_words(text);
}

troupe::task<std::map<std::string, int>> count_all(std::vector<std::string> texts) {
  std::map<std::string, int> counts;
  co_await troupe::scope([&](troupe::scope_handle all) -> troupe::task<> {
    for (auto& text : texts) {
      all.spawn(count_into, std::ref(counts[text]), std::ref(text));
    }
    co_return;
  });
  co_return counts;  // Each of the tasks has ended.
}

troupe::task<std::string> ask_and_catch() {
  auto page = troupe::spawn([]() -> troupe::task<std::string> {
    co_await troupe::yield();
    throw std::runtime_error{"no such page"};
  });
  try {
    co_return co_await page;
  } catch (const std::exception& error) {
    co_return error.what();
  }
}

troupe::task<> fail_unseen(std::string text) {
  co_await troupe::yield();
  throw std::runtime_error{text};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(guide_spawning_tasks_, troupe::test::virtual_worker)

BOOST_AUTO_TEST_CASE(both_ways_to_wait_give_the_same_sum) {
  BOOST_TEST(rt.block_on(one_after_the_other) == 10);
  BOOST_TEST(rt.block_on(beside_each_other) == 10);
}

BOOST_AUTO_TEST_CASE(tasks_of_a_scope_use_its_locals) {
  std::vector<std::string> texts{"a", "a b", "a b c"};
  std::map<std::string, int> expected{{"a", 1}, {"a b", 2}, {"a b c", 3}};
  BOOST_TEST((rt.block_on(count_all, texts) == expected));
}

BOOST_AUTO_TEST_CASE(an_exception_comes_out_of_the_await) {
  BOOST_TEST(rt.block_on(ask_and_catch) == "no such page");
}

BOOST_AUTO_TEST_CASE(what_nobody_awaits_goes_to_the_sink) {
  troupe::test::collected_failures failures;
  rt.block_on([]() -> troupe::task<> {
    troupe::spawn(fail_unseen, "the disk is full");
    for (int i = 0; i < 3; ++i) co_await troupe::yield();
  });
  BOOST_TEST(failures.texts() == (std::vector<std::string>{"the disk is full"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(tasks_that_nothing_can_wake_end_the_run_with_1) {
  troupe::test::captured_log log;
  troupe::pal::virtual_clock still;
  troupe::runtime_config config;
  config.workers = 1;
  config.clock = &still;
  troupe::event never;
  int code = troupe::run(
      config, [](troupe::event& awaited) -> troupe::task<> { co_await awaited.wait(); },
      std::ref(never));
  BOOST_TEST(code == 1);
  BOOST_TEST(log.count("the program is stuck: nothing can wake the tasks that are left") == 1u);
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled) {
  BOOST_TEST(troupe::test::check_snippets("docs/guide/spawning-tasks.md",
                                          {"samples/tasks/hello_tasks.cpp",
                                           "tests/docs/guide_spawning_tasks_test.cpp"}) == 5);
}

BOOST_AUTO_TEST_SUITE_END()
