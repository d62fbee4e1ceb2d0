#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <source_location>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/pal/clock.hpp>
#include <troupe/pal/random.hpp>
#include <troupe/pal/thread.hpp>
#include <troupe/sim/explore.hpp>
#include <troupe/task/core.hpp>

#include <threads.hpp>

namespace troupe::detail {

using outcome_of_wait = task_core::wait_outcome;

namespace {

// Counts what is scheduled, and runs nothing.
class counting_executor final : public executor {
public:
  void schedule(job&) noexcept override { scheduled.fetch_add(1); }
  void schedule_back(job&) noexcept override { scheduled.fetch_add(1); }
  void count_foreign_spawn() noexcept override {}
  [[nodiscard]] pal::clock& clock() const noexcept override { return pal::real_clock(); }

  pal::atomic<std::size_t> scheduled{0};
};

// A cell whose turns the test plays itself.
struct lone_task {
  counting_executor exec;
  task_core& core = task_core::create(exec, std::source_location::current());

  lone_task() = default;
  ~lone_task() { core.destroy(); }
  lone_task(const lone_task&) = delete;
  lone_task& operator=(const lone_task&) = delete;

  [[nodiscard]] std::size_t scheduled() const { return exec.scheduled.load(); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(core_)

BOOST_AUTO_TEST_CASE(wake_after_commit_schedules_once) {
  lone_task task;
  waker key = task.core.current_waker();
  waker copy = key;
  BOOST_CHECK(task.core.commit_wait(false) == outcome_of_wait::suspended);
  BOOST_TEST(key.wake());
  BOOST_TEST(!copy.wake());
  BOOST_TEST(task.scheduled() == 1u);
}

BOOST_AUTO_TEST_CASE(wake_before_commit_ends_that_wait_and_not_the_next) {
  lone_task task;
  waker key = task.core.current_waker();
  BOOST_TEST(!key.wake());
  BOOST_TEST(!key.wake());
  BOOST_CHECK(task.core.commit_wait(false) == outcome_of_wait::notified);
  BOOST_CHECK(task.core.commit_wait(false) == outcome_of_wait::suspended);
  BOOST_TEST(!key.wake());  // Its wait is over.
  BOOST_TEST(task.scheduled() == 0u);
  BOOST_TEST(task.core.current_waker().wake());
}

BOOST_AUTO_TEST_CASE(stop_before_commit_refuses_every_wait_but_a_shielded_one) {
  lone_task task;
  task.core.request_stop();
  BOOST_TEST(task.core.stop_requested());
  BOOST_CHECK(task.core.commit_wait(false) == outcome_of_wait::stopped);
  BOOST_CHECK(task.core.commit_wait(false) == outcome_of_wait::stopped);
  waker key = task.core.current_waker();
  BOOST_CHECK(task.core.commit_wait(true) == outcome_of_wait::suspended);
  BOOST_TEST(key.wake());
  BOOST_TEST(task.core.stop_requested());
}

BOOST_AUTO_TEST_CASE(stop_after_commit_schedules_once_and_outruns_the_waker) {
  lone_task task;
  waker key = task.core.current_waker();
  BOOST_CHECK(task.core.commit_wait(false) == outcome_of_wait::suspended);
  task.core.request_stop();
  task.core.request_stop();
  BOOST_TEST(!key.wake());
  BOOST_TEST(task.scheduled() == 1u);
}

BOOST_AUTO_TEST_CASE(wake_before_stop_leaves_the_stop_to_the_next_wait) {
  lone_task task;
  waker key = task.core.current_waker();
  BOOST_CHECK(task.core.commit_wait(false) == outcome_of_wait::suspended);
  BOOST_TEST(key.wake());
  task.core.request_stop();
  BOOST_TEST(task.scheduled() == 1u);
  BOOST_CHECK(task.core.commit_wait(false) == outcome_of_wait::stopped);
}

BOOST_AUTO_TEST_CASE(a_shielded_wait_is_deaf_to_stop_and_heeds_a_wake) {
  lone_task task;
  waker key = task.core.current_waker();
  BOOST_CHECK(task.core.commit_wait(true) == outcome_of_wait::suspended);
  task.core.request_stop();
  BOOST_TEST(task.scheduled() == 0u);
  BOOST_TEST(key.wake());
  BOOST_TEST(task.scheduled() == 1u);
}

BOOST_AUTO_TEST_CASE(wake_and_stop_before_commit_give_the_wake_first) {
  lone_task task;
  BOOST_TEST(!task.core.current_waker().wake());
  task.core.request_stop();
  BOOST_CHECK(task.core.commit_wait(false) == outcome_of_wait::notified);
  BOOST_CHECK(task.core.commit_wait(false) == outcome_of_wait::stopped);
}

BOOST_AUTO_TEST_CASE(nudge_wakes_whatever_the_task_waits_for_now) {
  lone_task task;
  task.core.nudge();
  BOOST_CHECK(task.core.commit_wait(false) == outcome_of_wait::notified);
  BOOST_CHECK(task.core.commit_wait(false) == outcome_of_wait::suspended);
  task.core.nudge();
  task.core.nudge();
  BOOST_TEST(task.scheduled() == 1u);
}

BOOST_AUTO_TEST_CASE(a_waker_of_a_former_tenant_wakes_nobody) {
  counting_executor exec;
  task_core& first = task_core::create(exec, std::source_location::current());
  waker old = first.current_waker();
  first.request_stop();
  first.destroy();
  task_core& second = task_core::create(exec, std::source_location::current());
  BOOST_REQUIRE(&first == &second);  // Cells are used again at once.
  BOOST_TEST(!second.stop_requested());
  BOOST_CHECK(second.commit_wait(false) == outcome_of_wait::suspended);
  BOOST_TEST(!old.wake());
  BOOST_TEST(exec.scheduled.load() == 0u);
  second.destroy();
}

BOOST_AUTO_TEST_CASE(an_empty_waker_wakes_nobody) {
  BOOST_TEST(!waker{}.wake());
  BOOST_CHECK(waker::from_bits(0) == waker{});
}

BOOST_AUTO_TEST_CASE(a_waker_fits_into_one_word_with_six_free_bits) {
  lone_task task;
  for (int i = 0; i < 70'000; ++i) {  // Past the 16 bits of the epoch.
    waker key = task.core.current_waker();
    BOOST_REQUIRE_EQUAL(key.bits() & 63U, 0u);
    BOOST_REQUIRE(waker::from_bits(key.bits()) == key);
    key.wake();
    BOOST_REQUIRE(task.core.commit_wait(false) == outcome_of_wait::notified);
  }
}

BOOST_AUTO_TEST_CASE(request_stop_on_spares_the_tasks_of_others_and_free_cells) {
  lone_task mine;
  counting_executor other;
  mine.core.request_stop_on(other);
  BOOST_TEST(!mine.core.stop_requested());
  mine.core.request_stop_on(mine.exec);
  BOOST_TEST(mine.core.stop_requested());
}

BOOST_AUTO_TEST_CASE(the_walk_sees_the_tasks_of_one_executor_and_what_they_wait_for) {
  lone_task first, other;
  task_core& second = task_core::create(first.exec, std::source_location::current());
  second.record_wait("rain", std::source_location::current());
  (void)second.commit_wait(true);
  std::set<const task_core*> seen;
  task_core::for_each_live(first.exec, [&](task_core& task, const task_core::record& record) {
    seen.insert(&task);
    BOOST_TEST(record.suspended == (&task == &second));
    BOOST_TEST((record.what == nullptr) == (&task == &first.core));
  });
  BOOST_CHECK((seen == std::set<const task_core*>{&first.core, &second}));
  second.destroy();
}

// Goal:   in no order of the steps of one task, two wakers, a nudge and a stop does the task sleep
//         although it was woken, or get scheduled while it does not sleep.
// Method: all orders. A waker takes the key of the wait that is current and uses it at once or
//         later, when its wait may be over.
BOOST_AUTO_TEST_CASE(no_order_of_wakes_and_a_stop_is_lost_or_counts_twice) {
  auto orders = sim::explore([](sim::choices& choice) {
    lone_task task;
    std::array<std::optional<waker>, 2> keys;
    std::array<bool, 2> used{}, current{};
    bool may_stop = true, may_nudge = true, asleep = false, wake_due = false, stopped = false;
    bool wrong = false;
    std::size_t waits_left = 3, schedules_seen = 0;
    auto wake_up = [&] {
      asleep = wake_due = false;
      for (auto& each : current) each = false;
    };
    auto note_wake = [&](bool scheduled) {
      wrong |= scheduled != asleep;  // R2
      if (scheduled) {
        ++schedules_seen;
        wake_up();
      } else {
        wake_due = true;
      }
    };
    for (;;) {
      std::array<std::size_t, 6> can;
      std::size_t count = 0;
      if (!asleep && waits_left > 0) can[count++] = 0;
      for (std::size_t w = 0; w < 2; ++w) {
        if (!used[w]) can[count++] = 1 + w;
      }
      if (may_stop) can[count++] = 3;
      if (may_nudge) can[count++] = 4;
      if (count == 0) break;
      std::size_t step = can[choice.pick(count)];
      std::size_t before = task.scheduled();
      if (step == 0) {
        --waits_left;
        auto how = task.core.commit_wait(false);
        wrong |= (how == outcome_of_wait::notified) != wake_due;
        wrong |= (how == outcome_of_wait::stopped) != (!wake_due && stopped);
        asleep = how == outcome_of_wait::suspended;
        if (how == outcome_of_wait::notified) wake_up();
      } else if (step == 3) {
        may_stop = false;
        stopped = true;
        task.core.request_stop();
        wrong |= (task.scheduled() != before) != asleep;
        if (asleep) wake_up();
      } else if (step == 4) {
        may_nudge = false;
        task.core.nudge();
        note_wake(task.scheduled() != before);
      } else if (std::size_t w = step - 1; !keys[w]) {
        keys[w] = task.core.current_waker();
        current[w] = true;
      } else {
        used[w] = true;
        bool woke = keys[w]->wake();
        wrong |= woke != (task.scheduled() != before);
        if (current[w]) {
          note_wake(woke);
        } else {
          wrong |= woke;  // R3
        }
      }
    }
    if (wrong) BOOST_REQUIRE(!wrong);
  });
  BOOST_TEST(orders > 1000u);
}

// Goal:   the same under real concurrency: each sleep ends by exactly one schedule, and every wake
//         of a current key ends a wait.
BOOST_AUTO_TEST_CASE(threads_that_wake_and_stop_schedule_each_sleep_once) {
  const std::size_t waits = test::rounds(20'000);
  lone_task task;
  pal::atomic<std::uint64_t> key{0};
  pal::atomic<bool> over{false};
  std::size_t sleeps = 0, plain = 0;  // `plain` belongs to whose turn it is: TSan looks on.
  auto own = [&] {
    for (std::size_t i = 0; i < waits; ++i) {
      key.store(task.core.current_waker().bits());
      ++plain;
      if (task.core.commit_wait(i % 3 == 0) == outcome_of_wait::suspended) {
        ++sleeps;
        test::wait_until([&] { return task.scheduled() == sleeps; });
      }
    }
    over.store(true);
  };
  auto wake = [&](std::size_t self) {
    pal::random random{self};
    while (!over.load()) {
      waker mine = waker::from_bits(key.load());
      for (auto pause = random.below(32); pause > 0; --pause) pal::spin_hint();
      if (!mine.wake() && random.below(4) == 0) std::this_thread::yield();
      if (self == 1 && random.below(64) == 0) task.core.nudge();
    }
  };
  test::race(3, [&](std::size_t self) { self == 0 ? own() : wake(self); });
  BOOST_TEST(task.scheduled() == sleeps);
  BOOST_TEST(sleeps > 0u);
}

BOOST_AUTO_TEST_CASE(cells_taken_and_freed_by_many_threads_are_never_shared) {
  const std::size_t turns = test::rounds(3'000);
  counting_executor exec;
  pal::atomic<std::size_t> shared{0};
  test::race(3, [&](std::size_t) {
    for (std::size_t i = 0; i < turns; ++i) {
      std::vector<task_core*> mine;
      for (std::size_t n = 0; n < 1 + i % 200; ++n) {
        mine.push_back(&task_core::create(exec, std::source_location::current()));
        if (mine.back()->any_exception() != nullptr) shared.fetch_add(1);
        mine.back()->keep_error(std::make_exception_ptr(1));
      }
      for (task_core* each : mine) each->destroy();
    }
  });
  BOOST_TEST(shared.load() == 0u);
}

// Goal:   what a thread has, and destroys last, may still make and end tasks: in cells of their
// own. Method: a thread_local object that is older than the cells which its thread keeps.
BOOST_AUTO_TEST_CASE(a_thread_that_ends_still_takes_and_frees_cells) {
  counting_executor exec;
  std::vector<task_core*> taken;
  auto take = [&] { taken.push_back(&task_core::create(exec, std::source_location::current())); };
  pal::thread ending{[&] {
    struct last_act {
      std::function<void()> act;
      ~last_act() { act(); }
    };
    static thread_local last_act at_end;
    at_end.act = [&] {
      take();
      take();
      task_core::create(exec, std::source_location::current()).destroy();
    };
    task_core::create(exec, std::source_location::current()).destroy();
  }};
  ending.join();
  for (int i = 0; i < 500; ++i) take();
  std::set<task_core*> different{taken.begin(), taken.end()};
  BOOST_TEST(different.size() == taken.size());
  for (task_core* each : different) each->destroy();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::detail
