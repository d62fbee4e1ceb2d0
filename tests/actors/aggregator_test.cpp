#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <actors/aggregator.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>

#include <sched/virtual_worker.hpp>
#include <thrown_misuse.hpp>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

struct flushed : test::virtual_worker {
  std::vector<std::string> lines;

  ref<aggregator<int>> start(std::size_t max_count = SIZE_MAX) {
    auto note = [this](int sum, std::size_t count) {
      lines.push_back(std::to_string(sum) + "/" + std::to_string(count));
    };
    return spawn<aggregator<int>>(note, 30s, max_count);
  }
  void check(const std::vector<std::string>& wanted) {
    BOOST_TEST(lines == wanted, boost::test_tools::per_element());
  }
};

struct longest {
  std::string operator()(std::string a, std::string b) const { return a.size() < b.size() ? b : a; }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(aggregator_, flushed)

BOOST_AUTO_TEST_CASE(each_tick_flushes_what_has_come_also_nothing) {
  rt.block_on([&]() -> task<> {
    auto sums = start();
    co_await sums.send(add{2});
    co_await sums.send(add{3});
    co_await sleep_for(29s);
    check({});
    co_await sleep_for(2s);
    check({"5/2"});
    co_await sums.send(add{4});
    co_await sleep_for(60s);
    check({"5/2", "4/1", "0/0"});
    sums.stop();
    co_await sums.ended();
  });
}

BOOST_AUTO_TEST_CASE(a_period_of_nothing_is_a_misuse) {
  rt.block_on([]() -> task<> {
    auto text = test::misuse_of([] { (void)spawn<aggregator<int>>([](int, std::size_t) {}, 0s); });
    BOOST_TEST(text.find("aggregator(flush, period)") != std::string::npos, text);
    co_return;
  });
}

BOOST_AUTO_TEST_CASE(so_many_values_are_flushed_at_once) {
  rt.block_on([&]() -> task<> {
    auto sums = start(3);
    for (int i = 1; i <= 7; ++i) co_await sums.send(add{i});
    BOOST_TEST((co_await sums.ask(total{})) == 7);
    check({"6/3", "15/3"});
    sums.stop();
    co_await sums.ended();
    check({"6/3", "15/3", "7/1"});
  });
}

BOOST_AUTO_TEST_CASE(the_total_is_told_and_kept) {
  rt.block_on([&]() -> task<> {
    auto sums = start();
    co_await sums.send(add{2});
    BOOST_TEST((co_await sums.ask(total{})) == 2);
    BOOST_TEST((co_await sums.ask(total{})) == 2);
    sums.stop();
    co_await sums.ended();
    check({"2/1"});
  });
}

BOOST_AUTO_TEST_CASE(with_its_last_ref_gone_it_takes_all_that_was_sent_and_flushes) {
  rt.block_on([&]() -> task<> {
    std::optional<ref<aggregator<int>>> sums = start();
    for (int i = 0; i < 100; ++i) co_await sums->send(add{i});
    sums.reset();
    while (lines.empty()) co_await sleep_for(1ms);
    check({"4950/100"});
  });
}

BOOST_AUTO_TEST_CASE(values_may_be_combined_otherwise_than_by_a_sum) {
  std::string found;
  rt.block_on([&]() -> task<> {
    auto note = [&](std::string value, std::size_t) { found = std::move(value); };
    auto all = spawn<aggregator<std::string, longest>>(note, 30s);
    for (const char* each : {"a", "ccc", "bb"}) {
      add<std::string> m{each};
      co_await all.send(take(m));
    }
    (void)co_await all.ask(total{});
    all.stop();
    co_await all.ended();
  });
  BOOST_TEST(found == "ccc");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::actors
