#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/spawn_blocking.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/shield.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/when_all.hpp>
#include <troupe/task/yield.hpp>

#include <forked.hpp>
#include <threads.hpp>
#include <thrown_misuse.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

runtime_config with_workers(std::size_t workers) {
  runtime_config config;
  config.workers = workers;
  return config;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string here(int line) { return std::string{"runtime_test.cpp:"} + std::to_string(line); }

task<> wait_for(event& awaited) { co_await awaited.wait(); }

// A wait that nothing ends, not even a stop request.
class deaf_wait {
public:
  static constexpr const char* name = "nothing at all";
  deaf_wait() noexcept {}
  bool poll() noexcept { return false; }
  bool enlist(waker) noexcept { return true; }
  void delist() noexcept {}
  void take() noexcept {}
  [[nodiscard]] bool shielded() const noexcept { return true; }
};

task<> survive(std::shared_ptr<int>) {
  deaf_wait never;
  co_await never;
}

task<> hold(std::shared_ptr<int> owned, event& until) {
  co_await until.wait();
  ++*owned;
}

// Waits until the runtime has exactly `count` tasks, all of them suspended.
std::vector<task_report> settled_tasks(const runtime& rt, std::size_t count) {
  for (;;) {
    auto seen = rt.tasks();
    std::size_t suspended = 0;
    for (const auto& each : seen) suspended += each.suspended ? 1 : 0;
    if (seen.size() == count && suspended == count) return seen;
    std::this_thread::yield();
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(runtime_)

BOOST_AUTO_TEST_CASE(block_on_gives_the_value_or_the_exception) {
  runtime rt{with_workers(2)};
  BOOST_TEST(rt.block_on([]() -> task<int> { co_return 42; }) == 42);
  BOOST_TEST(rt.block_on([](int a, int b) -> task<int> { co_return a + b; }, 1, 2) == 3);
  auto failing = []() -> task<> {
    co_await yield();
    throw std::runtime_error{"no"};
  };
  BOOST_CHECK_THROW(rt.block_on(failing), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(block_on_serves_several_threads_at_once) {
  runtime rt{with_workers(2)};
  pal::atomic<int> sum{0};
  std::vector<pal::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 200; ++n) sum.fetch_add(rt.block_on([]() -> task<int> { co_return 1; }));
    });
  }
  for (auto& thread : threads) thread.join();
  BOOST_TEST(sum.load() == 800);
}

BOOST_AUTO_TEST_CASE(spawn_from_outside_gives_a_handle) {
  runtime rt{with_workers(1)};
  auto handle = rt.spawn([](int n) -> task<int> { co_return n + 1; }, 4);
  int got = rt.block_on([&]() -> task<int> { co_return co_await handle; });
  BOOST_TEST(got == 5);
}

BOOST_AUTO_TEST_CASE(shut_down_waits_for_tasks_that_end_by_themselves) {
  pal::virtual_clock clock;
  runtime_config config = with_workers(2);
  config.clock = &clock;
  runtime rt{config};
  bool ended = false;
  rt.spawn([&]() -> task<> {
      for (int i = 0; i < 100; ++i) co_await sleep_for(1h);
      ended = true;
    }).detach();
  BOOST_TEST(rt.shut_down(1h).empty());
  BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(shut_down_asks_the_others_to_stop) {
  runtime rt{with_workers(2)};
  event never;
  bool was_stopped = false;
  rt.spawn([&]() -> task<> {
      try {
        co_await never.wait();
      } catch (const canceled&) {
        was_stopped = true;
      }
    }).detach();
  BOOST_TEST(rt.shut_down(1h).empty());
  BOOST_TEST(was_stopped);
}

// Goal:   what a task begins since it is asked to stop is not asked, while the others still are.
BOOST_AUTO_TEST_CASE(shut_down_leaves_alone_what_a_stopped_task_begins_in_a_shield) {
  bool is_cleaned_up = false;
  event never, all_asked;
  std::atomic<int> waiting{20'000};
  runtime rt{with_workers(2)};
  auto clean_up = [&]() -> task<> {
    co_await all_asked.wait();
    is_cleaned_up = true;
  };
  auto begin_late = [&]() -> task<> {
    bool is_stopped = false;
    try {
      co_await never.wait();
    } catch (const canceled&) {
      is_stopped = true;
    }
    if (is_stopped) co_await shield(clean_up());
  };
  auto wait = [&]() -> task<> {
    try {
      co_await never.wait();
    } catch (const canceled&) {
      if (--waiting == 0) all_asked.set();
    }
  };
  rt.spawn(begin_late).detach();  // Is asked first; its clean-up lies behind the others.
  for (int left = waiting; left > 0; --left) rt.spawn(wait).detach();
  BOOST_TEST(rt.shut_down(10s).empty());
  BOOST_TEST(is_cleaned_up);
}

BOOST_AUTO_TEST_CASE(shut_down_stops_idle_actors_also_after_it_had_to_ask_tasks) {
  class keeper : public actor {
  public:
    explicit keeper(bool& said_goodbye) : said_goodbye_{&said_goodbye} {}
    void on_stop() { *said_goodbye_ = true; }

  private:
    bool* said_goodbye_;
  };
  bool said_goodbye = false;
  event never;
  std::optional<ref<keeper>> held;
  runtime rt;
  rt.block_on([&]() -> task<> {
    held = spawn<keeper>(said_goodbye);
    spawn([&]() -> task<> { co_await never.wait(); });
    co_return;
  });
  BOOST_TEST(rt.shut_down(1h).empty());
  BOOST_TEST(said_goodbye);
}

BOOST_AUTO_TEST_CASE(shut_down_returns_the_survivors_and_destroys_them) {
  runtime rt{with_workers(2)};
  auto owned = std::make_shared<int>(0);
  rt.spawn([owned] { return survive(owned); }).detach();
  rt.spawn([owned] { return survive(owned); }).detach();
  (void)settled_tasks(rt, 2);
  auto survivors = rt.shut_down(20ms);
  BOOST_TEST_REQUIRE(survivors.size() == 2u);
  BOOST_TEST(contains(to_string(survivors[0]), "waits for nothing at all at "));
  BOOST_TEST(survivors[0].suspended);
  BOOST_TEST(owned.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(shut_down_names_the_actors_whose_handlers_survive) {
  struct begin {
    event* begun;
  };
  class deaf : public actor {
  public:
    task<> on(begin m) {
      m.begun->set();
      deaf_wait never;
      co_await never;
    }
  };
  runtime rt;
  auto d = rt.block_on([]() -> task<ref<deaf>> {
    actor_options options;
    options.name = "porter";
    auto made = spawn<deaf>(options);
    event begun;
    BOOST_TEST(made.try_send(begin{&begun}).has_value());
    co_await begun.wait();
    co_return made;
  });
  auto survivors = rt.shut_down(200ms);
  auto named = std::find_if(survivors.begin(), survivors.end(),
                            [](const task_report& each) { return each.actor == "porter"; });
  BOOST_REQUIRE((named != survivors.end()));
  BOOST_TEST(contains(named->handles, "begin"));
  BOOST_TEST(to_string(*named).starts_with("on(" + named->handles +
                                           ") of actor porter: waits for nothing at all at "));
}

BOOST_AUTO_TEST_CASE(shut_down_lists_blocking_work_with_the_line_that_began_it) {
  pal::atomic<bool> may_end{false}, has_begun{false};
  int begun_at = 0;
  runtime rt{with_workers(1)};
  rt.block_on([&]() -> task<> {
    begun_at = __LINE__ + 1;
    (void)spawn_blocking([&] {
      has_begun.store(true);
      test::wait_until([&] { return may_end.load(); });
    });
    co_return;
  });
  test::wait_until([&] { return has_begun.load(); });
  auto survivors = rt.shut_down(5ms);
  may_end.store(true);
  BOOST_TEST_REQUIRE(survivors.size() == 1u);
  BOOST_TEST(contains(survivors[0].spawned_at, here(begun_at)));
  BOOST_TEST(contains(to_string(survivors[0]), ": blocking work, which cannot be interrupted"));
}

BOOST_AUTO_TEST_CASE(shut_down_of_an_idle_runtime_has_no_survivors) {
  runtime rt{with_workers(2)};
  BOOST_TEST(rt.shut_down(1h).empty());
  BOOST_TEST(rt.shut_down(1h).empty());  // The second one finds nothing left to do.
}

BOOST_AUTO_TEST_CASE(shut_down_takes_a_budget_of_any_length) {
  runtime rt{with_workers(2)};
  event never;
  rt.spawn(&wait_for, std::ref(never)).detach();
  BOOST_TEST(rt.shut_down(std::chrono::nanoseconds::max()).empty());
}

BOOST_AUTO_TEST_CASE(shut_down_on_a_worker_is_a_misuse) {
  runtime rt{with_workers(2)};
  std::string text = rt.block_on(
      [&]() -> task<std::string> { co_return test::misuse_of([&] { (void)rt.shut_down(1s); }); });
  BOOST_TEST(contains(text, "runtime::shut_down() was called on a worker"));
}

// Goal:   an embedder whose task never gives its worker back gets the list, and may go on to
// destroy
//         the runtime: nothing is pulled away under the thread that is still in it.
// Method: in a process of its own; the task goes on, and ends, after the runtime object is gone.
BOOST_AUTO_TEST_CASE(a_runtime_may_be_destroyed_while_a_survivor_holds_its_worker) {
  auto seen = test::run_forked([] {
    pal::atomic<bool> may_end{false}, has_begun{false};
    std::size_t survivors = 0;
    {
      runtime rt{with_workers(2)};
      rt.spawn([&]() -> task<> {
          has_begun.store(true);
          test::wait_until([&] { return may_end.load(); });
          spawn([]() -> task<> { co_return; }).detach();
          co_await yield();
        }).detach();
      test::wait_until([&] { return has_begun.load(); });
      survivors = rt.shut_down(10ms).size();
    }
    may_end.store(true);
    for (int i = 0; i < 2000; ++i) std::this_thread::yield();
    return survivors == 1 ? 0 : 1;
  });
  BOOST_TEST_INFO(seen.errors);
  BOOST_TEST(seen.code == 0);
}

BOOST_AUTO_TEST_CASE(tasks_names_the_spawn_line_and_the_await_line) {
  runtime rt{with_workers(2)};
  event never;
  std::atomic<int> waits = 0;
  auto waiting = [&]() -> task<> {
    waits = __LINE__ + 1;
    co_await never.wait();
  };
  int outside = __LINE__ + 1;
  rt.spawn(waiting).detach();
  auto seen = settled_tasks(rt, 1);
  BOOST_TEST(contains(seen[0].spawned_at, here(outside)));
  BOOST_TEST(seen[0].waits_for == "an event");
  BOOST_TEST(contains(seen[0].waits_at, here(waits.load())));
  BOOST_TEST(to_string(seen[0]) == "task spawned at " + seen[0].spawned_at +
                                       ": waits for an event at " + seen[0].waits_at);

  int inside = 0;
  rt.block_on([&]() -> task<> {
    inside = __LINE__ + 1;
    spawn(waiting).detach();
    co_return;
  });
  bool found = false;
  for (const auto& each : settled_tasks(rt, 2)) found |= contains(each.spawned_at, here(inside));
  BOOST_TEST(found);
}

BOOST_AUTO_TEST_CASE(tasks_tells_the_one_that_is_running) {
  runtime rt{with_workers(1)};
  auto seen = rt.block_on([&]() -> task<std::vector<task_report>> { co_return rt.tasks(); });
  BOOST_TEST_REQUIRE(seen.size() == 1u);
  BOOST_TEST(!seen[0].suspended);
  BOOST_TEST(seen[0].waits_at == "");
  BOOST_TEST(contains(to_string(seen[0]), "running, or ready to"));
}

BOOST_AUTO_TEST_CASE(tasks_leaves_out_what_has_ended) {
  runtime rt{with_workers(1)};
  auto held = rt.spawn([]() -> task<> { co_return; });
  test::wait_until([&] { return held.done(); });
  BOOST_TEST(rt.tasks().empty());
}

BOOST_AUTO_TEST_CASE(several_runtimes_live_in_one_process) {
  runtime first{with_workers(1)}, second{with_workers(2)};
  event never;
  first.spawn(&wait_for, std::ref(never)).detach();
  (void)settled_tasks(first, 1);
  BOOST_TEST(second.tasks().empty());

  auto ends = mpsc<int>(1);
  auto send_all = [](sender<int> out) -> task<> {
    for (int i = 1; i <= 1000; ++i) co_await out.send(i);
  };
  first.spawn(send_all, std::move(ends.tx)).detach();
  int sum = second.block_on([&]() -> task<int> {
    int so_far = 0;
    while (auto n = co_await ends.rx.recv()) so_far += *n;
    co_return so_far;
  });
  BOOST_TEST(sum == 500500);
  BOOST_TEST(first.shut_down(1h).empty());
  BOOST_TEST(second.block_on([]() -> task<int> { co_return 1; }) == 1);
}

BOOST_AUTO_TEST_CASE(a_runtime_inside_a_task_of_another_may_not_block) {
  runtime outer{with_workers(1)}, inner{with_workers(1)};
  std::string text = outer.block_on([&]() -> task<std::string> {
    co_return test::misuse_of([&] { inner.block_on([]() -> task<> { co_return; }); });
  });
  BOOST_TEST(contains(text, "block_on() was called on a worker"));
}

// Goal:   a foreign thread may wake tasks while their runtime stops: none is queued on what is
// gone. Method: survivors wait for events that two foreign threads set all the while.
BOOST_AUTO_TEST_CASE(foreign_threads_may_wake_tasks_that_a_stop_destroys) {
  for (std::size_t round = 0; round < test::rounds(300); ++round) {
    std::deque<event> events(64);
    auto rt = std::make_unique<runtime>(with_workers(1));
    for (event& each : events) {
      rt->spawn([&each]() -> task<> { co_await shield(wait_for(each)); }).detach();
    }
    test::race(3, [&](std::size_t index) {
      if (index == 0) {
        (void)rt->shut_down(0ns);
      } else {
        for (std::size_t i = index - 1; i < events.size(); i += 2) events[i].set();
      }
    });
    rt.reset();
  }
  BOOST_TEST(true);  // What it is about shows as a crash, or to a sanitizer.
}

BOOST_AUTO_TEST_CASE(the_destructor_destroys_what_is_suspended) {
  event never;
  auto owned = std::make_shared<int>(0);
  {
    runtime rt{with_workers(2)};
    for (int i = 0; i < 10; ++i) rt.spawn(&hold, owned, std::ref(never)).detach();
    auto kept = rt.spawn(&hold, owned, std::ref(never));
    (void)settled_tasks(rt, 11);
  }
  BOOST_TEST(owned.use_count() == 1);
  BOOST_TEST(*owned == 0);
}

BOOST_AUTO_TEST_CASE(the_destructor_destroys_the_children_of_what_is_suspended) {
  event never;
  auto owned = std::make_shared<int>(0);
  {
    runtime rt{with_workers(2)};
    rt.spawn([&]() -> task<> {
        co_await when_all(hold(owned, never), hold(owned, never));
      }).detach();
    rt.spawn([&]() -> task<> { co_await shield(hold(owned, never)); }).detach();
    (void)settled_tasks(rt, 5);
  }
  BOOST_TEST(owned.use_count() == 1);
}

// Such a child may refer to what lies there.
BOOST_AUTO_TEST_CASE(the_destructor_destroys_the_child_of_a_limit_before_the_frame_that_awaits_it) {
  struct part {
    explicit part(bool& of) : lives{of} { lives = true; }
    ~part() { lives = false; }
    part(const part&) = delete;
    part& operator=(const part&) = delete;
    bool& lives;
  };
  struct user {
    ~user() { too_late += lives ? 0 : 1; }
    const bool& lives;
    int& too_late;
  };
  event never;
  std::array<bool, 10> lives{};
  int too_late = 0;
  {
    runtime rt{with_workers(1)};
    for (bool& mine : lives) {
      rt.spawn([&]() -> task<> {
          part here{mine};
          co_await timeout(24h, [](bool& lent, int& count, event& end) -> task<> {
            user refers{lent, count};
            co_await end.wait();
          }(mine, too_late, never));
        }).detach();
    }
    (void)settled_tasks(rt, 2 * lives.size());
  }
  BOOST_TEST(too_late == 0);
}

BOOST_AUTO_TEST_CASE(the_destructor_destroys_the_tasks_of_a_scope) {
  event never;
  auto owned = std::make_shared<int>(0);
  {
    runtime rt{with_workers(2)};
    rt.spawn([&]() -> task<> {
        co_await scope([&](scope_handle s) -> task<> {
          s.spawn(&hold, owned, std::ref(never));
          co_await never.wait();
        });
      }).detach();
    (void)settled_tasks(rt, 3);
  }
  BOOST_TEST(owned.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(the_destructor_drops_what_is_ready_but_has_not_run) {
  auto owned = std::make_shared<int>(0);
  pal::atomic<bool> may_end{false}, has_begun{false};
  pal::thread releasing;
  {
    runtime rt{with_workers(1)};
    rt.spawn([&]() -> task<> {
        auto empty = [owned]() -> task<> { co_return; };
        for (int i = 0; i < 5; ++i) spawn(empty).detach();
        has_begun.store(true);
        test::wait_until([&] { return may_end.load(); });
        co_return;
      }).detach();
    test::wait_until([&] { return has_begun.load(); });
    releasing = pal::thread{[&] { may_end.store(true); }};
  }
  releasing.join();
  BOOST_TEST(owned.use_count() == 1);
}

// Goal:   a task that has ended, and whose handle is held by a suspended one, is freed once.
// Method: freed twice, its cell would be given to two tasks of the next runtime at once.
BOOST_AUTO_TEST_CASE(the_destructor_frees_ended_tasks_with_a_suspended_holder_once) {
  event never;
  {
    runtime rt{with_workers(1)};
    for (int i = 0; i < 3; ++i) {
      rt.spawn([&]() -> task<> {
          auto ended = spawn([]() -> task<int> { co_return 1; });
          while (!ended.done()) co_await yield();
          co_await never.wait();
          (void)co_await ended;
        }).detach();
    }
    (void)settled_tasks(rt, 3);
  }
  runtime next{with_workers(1)};
  pal::atomic<int> sum{0};
  for (int i = 0; i < 50; ++i) {
    next.spawn([&sum, i]() -> task<> {
          co_await yield();
          sum.fetch_add(i);
        })
        .detach();
  }
  BOOST_TEST(next.shut_down(1h).empty());
  BOOST_TEST(sum.load() == 49 * 50 / 2);
}

BOOST_AUTO_TEST_CASE(counters_tell_how_many_tasks_there_were) {
  runtime rt{with_workers(2)};
  rt.block_on([]() -> task<> {
    for (int i = 0; i < 9; ++i) co_await spawn([]() -> task<> { co_return; });
  });
  BOOST_TEST(rt.counters().spawned == 10u);
  BOOST_TEST(rt.counters().ended == 10u);
  BOOST_TEST(rt.counters().turns >= 10u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
