#include <chrono>
#include <optional>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <actors/ticker.hpp>
#include <troupe/actor/supervisor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>

#include <sched/virtual_worker.hpp>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

struct poll {
  int number = 1;
};

class polled : public actor {
public:
  polled(int& sum, bool& is_gone) : sum_{&sum}, is_gone_{&is_gone} {}
  void on(poll m) { *sum_ += m.number; }
  void on_stop() { *is_gone_ = true; }

private:
  int* sum_;
  bool* is_gone_;
};

struct counted : test::virtual_worker {
  int sum = 0;
  bool is_gone = false;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ticker_, counted)

BOOST_AUTO_TEST_CASE(sends_every_period_without_a_ref_to_it) {
  rt.block_on([&]() -> task<> {
    auto target = spawn<polled>(sum, is_gone);
    spawn<ticker<poll>>(target, 1s);
    co_await sleep_for(999ms);
    BOOST_TEST(sum == 0);
    co_await sleep_for(9500ms);
    BOOST_TEST(sum == 10);
    target.stop();
    co_await target.ended();
  });
}

BOOST_AUTO_TEST_CASE(sends_the_message_it_was_given_until_it_is_stopped) {
  rt.block_on([&]() -> task<> {
    auto target = spawn<polled>(sum, is_gone);
    auto t = spawn<ticker<poll>>(target, 1s, poll{100});
    co_await sleep_for(1500ms);
    t.stop();
    co_await t.ended();
    co_await sleep_for(5s);
    BOOST_TEST(sum == 100);
  });
}

BOOST_AUTO_TEST_CASE(does_not_keep_its_target_alive_and_ends_with_it) {
  rt.block_on([&]() -> task<> {
    std::optional<ref<polled>> target = spawn<polled>(sum, is_gone);
    auto t = spawn<ticker<poll>>(*target, 1h);
    co_await sleep_for(1ms);
    target.reset();
    time_point before = now();
    co_await t.ended();
    BOOST_TEST(is_gone);
    BOOST_TEST((now() - before < 1s));
  });
}

BOOST_AUTO_TEST_CASE(goes_on_when_its_target_is_started_anew) {
  rt.block_on([&]() -> task<> {
    auto root = spawn<supervisor>();
    auto target = spawn_child<polled>(root, std::ref(sum), std::ref(is_gone));
    spawn<ticker<poll>>(target, 1s);
    co_await sleep_for(1500ms);
    target.kill();
    co_await sleep_for(1s);
    BOOST_TEST(sum == 2);
    root.stop();
    co_await target.ended();
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::actors
