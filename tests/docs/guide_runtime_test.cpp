// The snippets of docs/guide/runtime.md, in its order.

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include <boost/test/unit_test.hpp>

#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/spawn_blocking.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/yield.hpp>

#include "page_snippets.hpp"

using namespace std::chrono_literals;

namespace {

struct price_list {
  std::mutex mutex;
  std::map<std::string, std::size_t> by_name;
};

troupe::task<std::size_t> look_up(const std::string& name) {
  co_await troupe::yield();
  co_return name.size();
}

troupe::task<> add_price(price_list& shared, std::string name) {
  std::size_t price = co_await look_up(name);  // First wait,
  std::lock_guard guard{shared.mutex};         // then lock: no co_await from here on.
  shared.by_name[name] = price;
}

troupe::task<std::uint64_t> sum_of_squares(std::uint64_t count) {
  std::uint64_t sum = 0;
  for (std::uint64_t n = 1; n <= count; ++n) {
    sum += n * n;
    if (n % 100'000 == 0) co_await troupe::yield();  // Others get a turn; a stop ends it here.
  }
  co_return sum;
}

std::size_t count_lines_of(const std::string& path) {  // Blocks, like all of the standard library.
  std::ifstream file{path};
  if (!file) throw std::runtime_error{"cannot read " + path};
  std::size_t count = 0;
  for (std::string line; std::getline(file, line);) ++count;
  return count;
}

troupe::task<std::size_t> count_lines(std::string path) {
  auto work = [path] { return count_lines_of(path); };
  co_return co_await troupe::spawn_blocking(std::move(work));
}

struct two_workers {
  troupe::runtime rt{config()};

private:
  static troupe::runtime_config config() {
    troupe::runtime_config two;
    two.workers = 2;
    two.network = false;
    return two;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(guide_runtime_, two_workers)

BOOST_AUTO_TEST_CASE(tasks_on_two_workers_share_a_map_under_a_lock) {
  price_list prices;
  rt.block_on([&]() -> troupe::task<> {
    co_await troupe::scope([&](troupe::scope_handle all) -> troupe::task<> {
      for (int i = 0; i < 100; ++i) all.spawn(add_price, std::ref(prices), std::to_string(i));
      co_return;
    });
  });
  BOOST_TEST(prices.by_name.size() == 100u);
  BOOST_TEST(prices.by_name["42"] == 2u);
}

BOOST_AUTO_TEST_CASE(a_long_computation_gives_way_and_can_be_stopped) {
  BOOST_TEST(rt.block_on(sum_of_squares, std::uint64_t{1'000'000}) == 333333833333500000u);
  auto stopped = []() -> troupe::task<bool> {
    auto endless = troupe::spawn(sum_of_squares, UINT64_MAX);
    co_await endless.cancel();  // Returns only since it has ended.
    co_return endless.done();
  };
  BOOST_TEST(rt.block_on(stopped));
}

BOOST_AUTO_TEST_CASE(blocking_work_gives_its_value_or_its_exception) {
  BOOST_TEST(rt.block_on(count_lines, TROUPE_SOURCE_DIR "/docs/guide/runtime.md") > 50u);
  BOOST_CHECK_THROW(rt.block_on(count_lines, "/nowhere"), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(every_snippet_of_the_page_is_compiled) {
  BOOST_TEST(troupe::test::check_snippets(
                 {"docs/guide/runtime.md", "tests/docs/guide_runtime_test.cpp"}) == 3);
}

BOOST_AUTO_TEST_SUITE_END()
