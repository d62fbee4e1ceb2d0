#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/semaphore.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/shield.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <manual_executor.hpp>
#include <sched/two_workers.hpp>
#include <sched/virtual_worker.hpp>
#include <threads.hpp>
#include <thrown_misuse.hpp>

namespace troupe {

namespace {

using test::manual_executor;
using std::chrono_literals::operator""ms;

const boost::system::error_code closed = errc::closed, nothing = errc::empty;

boost::system::error_code error_of(const result<semaphore::permit>& outcome) {
  return outcome.has_error() ? outcome.error() : boost::system::error_code{};
}

// Takes permits, notes its name, and gives them back when told.
task<> hold(semaphore& from, std::size_t count, std::string& order, char name, event& done) {
  auto mine = co_await from.acquire(count);
  order += name;
  co_await done.wait();
}

task<> note_error(semaphore& from, std::size_t count, boost::system::error_code& into) {
  into = error_of(co_await from.acquire(count).as_result());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(semaphore_)

BOOST_AUTO_TEST_CASE(a_permit_gives_back_what_it_holds_at_its_end_once) {
  manual_executor exec;
  semaphore permits{5};
  {
    auto three = permits.try_acquire(3).value();
    BOOST_TEST(three.count() == 3u);
    BOOST_TEST(permits.available() == 2u);
    BOOST_TEST(error_of(permits.try_acquire(3)) == nothing);
    auto moved = std::move(three);
    BOOST_TEST(three.count() == 0u);
    three.release();
    BOOST_TEST(permits.available() == 2u);
    moved.release();
    BOOST_TEST(permits.available() == 5u);
    moved.release();
  }
  BOOST_TEST(permits.available() == 5u);
  auto two = permits.try_acquire(2).value(), one = permits.try_acquire().value();
  two = std::move(one);
  BOOST_TEST(permits.available() == 4u);
  BOOST_TEST(two.count() == 1u);
}

BOOST_AUTO_TEST_CASE(a_forgotten_permit_never_comes_back_and_add_makes_more) {
  manual_executor exec;
  semaphore permits{2};
  {
    auto both = permits.try_acquire(2).value();
    BOOST_TEST(both.forget() == 2u);
    BOOST_TEST(both.forget() == 0u);
  }
  BOOST_TEST(permits.available() == 0u);
  permits.add(7);
  BOOST_TEST(permits.available() == 7u);
}

BOOST_AUTO_TEST_CASE(no_permit_at_all_is_a_misuse) {
  test::thrown_misuse refused;
  semaphore permits{1};
  BOOST_CHECK_THROW((void)permits.acquire(0), test::misused);
  BOOST_CHECK_THROW((void)permits.try_acquire(0), test::misused);
}

BOOST_AUTO_TEST_CASE(who_waits_is_served_in_the_order_of_coming) {
  manual_executor exec;
  semaphore permits{1};
  std::string order;
  event a, b, c;
  spawn(&hold, std::ref(permits), 1u, std::ref(order), 'a', std::ref(a)).detach();
  spawn(&hold, std::ref(permits), 1u, std::ref(order), 'b', std::ref(b)).detach();
  spawn(&hold, std::ref(permits), 1u, std::ref(order), 'c', std::ref(c)).detach();
  exec.run_all();
  BOOST_TEST(order == "a");
  c.set(), b.set(), a.set();
  exec.run_all();
  BOOST_TEST(order == "abc");
  BOOST_TEST(permits.available() == 1u);
}

BOOST_AUTO_TEST_CASE(a_large_request_is_not_starved_by_small_ones) {
  manual_executor exec;
  semaphore permits{3};
  std::string order;
  event first, large, small;
  spawn(&hold, std::ref(permits), 2u, std::ref(order), 'f', std::ref(first)).detach();
  spawn(&hold, std::ref(permits), 3u, std::ref(order), 'L', std::ref(large)).detach();
  spawn(&hold, std::ref(permits), 1u, std::ref(order), 's', std::ref(small)).detach();
  exec.run_all();
  BOOST_TEST(order == "f");  // One is free, but the large one came before.
  BOOST_TEST(error_of(permits.try_acquire()) == nothing);
  first.set();
  exec.run_all();
  BOOST_TEST(order == "fL");
  large.set();
  exec.run_all();
  BOOST_TEST(order == "fLs");
  small.set();
  exec.run_all();
  BOOST_TEST(permits.available() == 3u);
}

// A wake for another reason does not cost the place in the line.
BOOST_AUTO_TEST_CASE(a_wait_that_looks_again_keeps_its_place) {
  manual_executor exec;
  semaphore permits{2};
  auto held = permits.try_acquire(1).value();
  std::string order;
  event small_done, large_done;
  detail::task_core* large = nullptr;
  spawn([&]() -> task<> {
    large = detail::current_context()->current;
    co_await hold(permits, 2, order, 'L', large_done);
  }).detach();
  exec.run_all();
  spawn(&hold, std::ref(permits), 1u, std::ref(order), 's', std::ref(small_done)).detach();
  exec.run_all();
  large->nudge();
  exec.run_all();
  BOOST_TEST(order == "");
  held.release();
  exec.run_all();
  BOOST_TEST(order == "L");
  large_done.set(), small_done.set();
  exec.run_all();
}

BOOST_AUTO_TEST_CASE(cancel_safe_a_stopped_first_in_line_lets_the_next_through) {
  manual_executor exec;
  semaphore permits{1};
  std::string order;
  event done;
  auto large = spawn(&hold, std::ref(permits), 2u, std::ref(order), 'L', std::ref(done));
  spawn(&hold, std::ref(permits), 1u, std::ref(order), 's', std::ref(done)).detach();
  exec.run_all();
  BOOST_TEST(order == "");
  large.request_stop();
  exec.run_all();
  BOOST_TEST(large.done());
  BOOST_TEST(order == "s");
  done.set();
  exec.run_all();
  BOOST_TEST(permits.available() == 1u);
}

// The release is first, and the stop comes before the task has had its turn: it has its permit, and
// gives it back when it unwinds; either way the next is served.
BOOST_AUTO_TEST_CASE(a_stop_right_after_the_release_hands_the_permit_on) {
  for (bool stop_first : {false, true}) {
    manual_executor exec;
    semaphore permits{1};
    auto held = permits.try_acquire().value();
    std::string order;
    event done;
    auto stopped = spawn(&hold, std::ref(permits), 1u, std::ref(order), 'a', std::ref(done));
    spawn(&hold, std::ref(permits), 1u, std::ref(order), 'b', std::ref(done)).detach();
    exec.run_all();
    if (stop_first) stopped.request_stop();
    held.release();
    if (!stop_first) stopped.request_stop();
    exec.run_all();
    BOOST_TEST(stopped.done());
    BOOST_TEST(order.ends_with('b'));
    done.set();
    exec.run_all();
    BOOST_TEST(permits.available() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(cancel_safe_a_lost_select_takes_no_permit_and_keeps_no_place) {
  manual_executor exec;
  semaphore permits{2};
  auto held = permits.try_acquire(1).value();
  event other, done;
  std::string order;
  std::size_t winner = 9;
  auto racing = spawn([&]() -> task<> {
    auto first = co_await select(permits.acquire(2), other.wait());
    winner = first.index();
    co_await done.wait();
    auto both = co_await permits.acquire(2);
    BOOST_TEST(both.count() == 2u);
  });
  exec.run_all();
  spawn(&hold, std::ref(permits), 1u, std::ref(order), 's', std::ref(done)).detach();
  exec.run_all();
  BOOST_TEST(order == "");
  other.set();
  exec.run_all();
  BOOST_TEST(winner == 1u);
  BOOST_TEST(order == "s");
  held.release();
  done.set();
  exec.run_all();
  BOOST_TEST(racing.done());
  BOOST_TEST(permits.available() == 2u);
}

// The permits come while another branch has won already, and a loser still unwinds: it can take
// them, since the lost acquire has given up its place at once.
BOOST_AUTO_TEST_CASE(a_select_that_unwinds_holds_no_permit_up) {
  manual_executor exec;
  semaphore permits{1};
  auto held = permits.try_acquire().value();
  event won;
  bool has_cleaned_up = false;
  auto racing = spawn([&]() -> task<> {
    auto clean_up = [&]() -> task<> {
      auto mine = co_await permits.acquire();
      has_cleaned_up = true;
    };
    auto slow_loser = [&]() -> task<> {
      std::exception_ptr error;
      try {
        event never;
        co_await never.wait();
      } catch (...) {
        error = std::current_exception();
      }
      co_await shield(clean_up());
      std::rethrow_exception(error);
    };
    co_await select(permits.acquire(), won.wait(), slow_loser());
  });
  exec.run_all();
  won.set();
  exec.run_all();  // Decided; the loser has come to its clean-up.
  held.release();
  exec.run_all();
  BOOST_TEST(has_cleaned_up);
  BOOST_TEST(racing.done());
  BOOST_TEST(permits.available() == 1u);
}

BOOST_AUTO_TEST_CASE(close_refuses_those_that_wait_and_those_that_come) {
  manual_executor exec;
  semaphore permits{1};
  auto held = permits.try_acquire().value();
  boost::system::error_code first, second, late;
  spawn(&note_error, std::ref(permits), 1u, std::ref(first)).detach();
  spawn(&note_error, std::ref(permits), 5u, std::ref(second)).detach();
  exec.run_all();
  BOOST_TEST(!permits.is_closed());
  permits.close();
  permits.close();
  BOOST_TEST(permits.is_closed());
  spawn(&note_error, std::ref(permits), 1u, std::ref(late)).detach();
  exec.run_all();
  BOOST_TEST(first == closed);
  BOOST_TEST(second == closed);
  BOOST_TEST(late == closed);
  BOOST_TEST(error_of(permits.try_acquire()) == closed);
  held.release();
  BOOST_TEST(permits.available() == 1u);
}

BOOST_AUTO_TEST_CASE(a_permit_granted_before_the_close_is_had) {
  manual_executor exec;
  semaphore permits{0};
  std::string order;
  event done;
  spawn(&hold, std::ref(permits), 1u, std::ref(order), 'a', std::ref(done)).detach();
  exec.run_all();
  permits.add(1);
  permits.close();
  exec.run_all();
  BOOST_TEST(order == "a");
  done.set();
  exec.run_all();
}

BOOST_AUTO_TEST_CASE(a_wait_can_be_given_time) {
  test::virtual_worker one;
  semaphore permits{1};
  one.rt.block_on([&]() -> task<> {
    auto held = co_await timeout(5ms, permits.acquire());
    BOOST_TEST(held.count() == 1u);
    auto late = co_await timeout(5ms, permits.acquire()).as_result();
    BOOST_TEST((late.has_error() && late.error() == errc::timed_out));
  });
  BOOST_TEST(permits.available() == 1u);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_semaphore_refuses_who_waits_and_leaves_permits_valid) {
  manual_executor exec;
  std::optional<semaphore> permits{std::in_place, 1u};
  auto held = permits->try_acquire().value();
  boost::system::error_code refused;
  spawn(&note_error, std::ref(*permits), 1u, std::ref(refused)).detach();
  exec.run_all();
  permits.reset();
  exec.run_all();
  BOOST_TEST(refused == closed);
  held.release();
}

// Goal:   a runtime that ends destroys the frames of a semaphore, its holders and its waiters, in
//         whatever order they stand.
BOOST_AUTO_TEST_CASE(a_runtime_that_ends_first_destroys_semaphore_permits_and_waits) {
  auto owned = std::make_shared<int>(1);
  auto use = [](semaphore& from, std::shared_ptr<int>) -> task<> {
    auto mine = co_await from.acquire();
    event never;
    co_await never.wait();
  };
  {
    test::two_workers two;
    two.rt
        .spawn([owned, use]() -> task<> {
          semaphore permits{2};
          for (int i = 0; i < 5; ++i) spawn(use, std::ref(permits), owned).detach();
          event never;
          co_await never.wait();
        })
        .detach();
    two.rt.block_on([]() -> task<> {
      for (int i = 0; i < 20; ++i) co_await yield();
    });
  }
  BOOST_TEST(owned.use_count() == 1);
}

// Goal:   the one who got all permits may end the semaphore while the last release returns.
BOOST_AUTO_TEST_CASE(a_semaphore_may_be_gone_once_all_permits_are_back) {
  test::two_workers two;
  const std::size_t count = test::rounds(20'000);
  two.rt.block_on([&]() -> task<> {
    for (std::size_t i = 0; i < count; ++i) {
      semaphore brief{1};
      auto held = co_await brief.acquire();
      auto give_back = [held = std::move(held)]() mutable { held.release(); };
      spawn(std::move(give_back)).detach();
      auto all = co_await brief.acquire();
      all.forget();
    }
  });
}

// Goal:   never more permits are held than there are, and none is lost, whatever waits are stopped.
BOOST_AUTO_TEST_CASE(permits_are_neither_lost_nor_doubled_by_two_workers_and_stops) {
  test::two_workers two;
  constexpr std::size_t total = 4;
  const std::size_t count = test::rounds(3'000);
  semaphore permits{total};
  pal::atomic<std::size_t> held{0}, most{0}, got{0};
  auto use = [&](std::size_t wanted) -> task<> {
    auto mine = co_await permits.acquire(wanted);
    std::size_t now = held.fetch_add(wanted) + wanted;
    std::size_t seen = most.load();
    while (seen < now && !most.compare_exchange_weak(seen, now)) {
    }
    got.fetch_add(1);
    co_await yield();
    held.fetch_sub(wanted);
  };
  two.rt.block_on([&]() -> task<> {
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<join_handle<void>> users;
      for (std::size_t j = 0; j < 6; ++j) users.push_back(spawn(use, 1 + (i + j) % total));
      users[i % 6].request_stop();
      users[(i / 6) % 6].request_stop();
      for (auto& each : users) {
        try {
          co_await each;
        } catch (const canceled&) {
        }
      }
    }
  });
  BOOST_TEST(held.load() == 0u);
  BOOST_TEST(permits.available() == total);
  BOOST_TEST(most.load() <= total);
  BOOST_TEST(got.load() >= count * 4);
}

BOOST_AUTO_TEST_CASE(foreign_threads_take_and_give_back) {
  test::two_workers two;
  const std::size_t count = test::rounds(20'000);
  semaphore permits{2};
  std::size_t turns = 0;
  auto waiting = two.rt.spawn([&]() -> task<> {
    for (std::size_t i = 0; i < count; ++i) {
      auto both = co_await permits.acquire(2);
      ++turns;
    }
  });
  test::race(2, [&](std::size_t) {
    for (std::size_t i = 0; i < count; ++i) (void)permits.try_acquire();
  });
  two.rt.block_on([&]() -> task<> { co_await waiting; });
  BOOST_TEST(turns == count);
  BOOST_TEST(permits.available() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
