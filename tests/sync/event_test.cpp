#include <boost/test/unit_test.hpp>

#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <manual_executor.hpp>
#include <threads.hpp>

namespace troupe {

namespace {

using test::manual_executor;

task<> count_after(event& awaited, int& count) {
  co_await awaited.wait();
  ++count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(event_)

BOOST_AUTO_TEST_CASE(stays_set_until_it_is_reset) {
  manual_executor exec;
  event happened;
  BOOST_TEST(!happened.is_set());
  happened.set();
  happened.set();
  BOOST_TEST(happened.is_set());
  int count = 0;
  spawn(&count_after, std::ref(happened), std::ref(count)).detach();
  exec.run_all();
  BOOST_TEST(count == 1);
  happened.reset();
  BOOST_TEST(!happened.is_set());
  spawn(&count_after, std::ref(happened), std::ref(count)).detach();
  exec.run_all();
  BOOST_TEST(count == 1);
  happened.set();
  exec.run_all();
  BOOST_TEST(count == 2);
}

BOOST_AUTO_TEST_CASE(wakes_all_that_wait) {
  manual_executor exec;
  event happened, other;
  int count = 0, others = 0;
  for (int i = 0; i < 100; ++i) spawn(&count_after, std::ref(happened), std::ref(count)).detach();
  spawn(&count_after, std::ref(other), std::ref(others)).detach();
  exec.run_all();
  happened.set();
  exec.run_all();
  BOOST_TEST(count == 100);
  BOOST_TEST(others == 0);
  other.set();
  exec.run_all();
}

BOOST_AUTO_TEST_CASE(a_reset_right_after_the_set_loses_no_waiter) {
  manual_executor exec;
  event happened;
  int count = 0;
  for (int i = 0; i < 3; ++i) spawn(&count_after, std::ref(happened), std::ref(count)).detach();
  exec.run_all();
  happened.set();
  happened.reset();
  exec.run_all();
  BOOST_TEST(count == 3);
}

BOOST_AUTO_TEST_CASE(a_stopped_wait_leaves_the_others_alone) {
  manual_executor exec;
  event happened;
  int count = 0;
  auto stopped = spawn(&count_after, std::ref(happened), std::ref(count));
  spawn(&count_after, std::ref(happened), std::ref(count)).detach();
  exec.run_all();
  stopped.request_stop();
  exec.run_all();
  BOOST_TEST(stopped.done());
  BOOST_TEST(count == 0);
  happened.set();
  exec.run_all();
  BOOST_TEST(count == 1);
}

BOOST_AUTO_TEST_CASE(an_event_may_be_gone_once_its_waiters_have_lost_their_select) {
  manual_executor exec;
  event lasting;
  std::size_t winner = 9;
  {
    event brief;
    spawn([&]() -> task<> {
      auto first = co_await select(brief.wait(), lasting.wait());
      winner = first.index();
    }).detach();
    exec.run_all();
    lasting.set();
    exec.run_all();
  }
  BOOST_TEST(winner == 1u);
}

// Goal:   a set() that is still under way does not wake who waits for another event that has taken
//         the first one's place.
// Method: one local event after another, each set by a task on another worker.
BOOST_AUTO_TEST_CASE(an_event_in_the_place_of_one_just_set_is_waited_for) {
  const std::size_t count = test::rounds(20'000);
  runtime_config config;
  config.workers = 2;
  runtime rt{config};
  std::size_t early = 0;
  rt.block_on([&]() -> task<> {
    for (std::size_t i = 0; i < count; ++i) {
      event happened;
      spawn([&happened] { happened.set(); }).detach();
      co_await happened.wait();
      if (happened.is_set()) continue;
      ++early;
      while (!happened.is_set()) co_await yield();
    }
  });
  BOOST_TEST(early == 0u);
}

// Goal:   a set() by a foreign thread is never lost, however close to the wait it comes.
BOOST_AUTO_TEST_CASE(a_foreign_set_wakes_whoever_waits_or_is_about_to) {
  const std::size_t count = test::rounds(3'000);
  runtime_config config;
  config.workers = 2;
  runtime rt{config};
  for (std::size_t i = 0; i < count; ++i) {
    event happened;
    int woken = 0;
    auto waiting = rt.spawn([&]() -> task<> { co_await count_after(happened, woken); });
    happened.set();
    rt.block_on([&]() -> task<> { co_await waiting; });
    BOOST_REQUIRE(woken == 1);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
