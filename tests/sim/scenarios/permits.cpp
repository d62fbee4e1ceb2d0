// Permits of a semaphore that are taken, kept, waited for, dropped and handed on; and events.

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/semaphore.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include "families.hpp"

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

struct state {
  explicit state(scene& in)
      : here{in},
        total(in.between(1, in.percent(50) ? 2 : 12)),
        most(std::max<std::size_t>(1, total / 2)),
        users(in.between(2, 10)),
        rounds(in.between(1, 40)),
        pause_percent(in.between(0, 80)),
        gate{total} {}

  scene& here;
  std::size_t total;       // With those that were added, without those that were forgotten.
  const std::size_t most;  // That one asks for.
  const std::size_t users, rounds;
  const std::uint64_t pause_percent;
  semaphore gate;
  std::size_t held = 0;
  bool is_closed = false;

  std::size_t woken = 0;
  event signal;
};

void check_held(const state& in) {
  in.here.check(in.held <= in.total, "{} permits are held, there are {}", in.held, in.total);
}

// Keeps permits for a while.
task<> use(state& in, semaphore::permit got, std::size_t count) {
  struct holding {
    holding(state& of, std::size_t held) : in{of}, count{held} { in.held += count; }
    ~holding() { in.held -= count; }
    holding(const holding&) = delete;
    holding& operator=(const holding&) = delete;
    state& in;
    const std::size_t count;
  };
  in.here.check(got.count() == count, "{} permits are got, {} were asked for", got.count(), count);
  // Ends before `kept`: nobody is served while it counts.
  holding now{in, count};
  auto kept = std::move(got);
  check_held(in);
  if (in.here.percent(in.pause_percent)) co_await sleep_for(in.here.some_time());
  if (in.here.percent(3) && count + in.most <= in.total) {
    in.total -= kept.forget();
  }
}

task<> acquire_one(state& in) {
  std::size_t count = in.here.between(1, in.most);
  if (in.here.percent(30)) {
    auto limit = in.here.some_time();
    auto got = co_await timeout(limit, in.gate.acquire(count)).as_result();
    if (got) co_await use(in, std::move(*got), count);
    bool is_right = got || got.error() == errc::timed_out || in.is_closed;
    in.here.check(is_right, "permits are refused");
  } else if (in.here.percent(20)) {
    auto got = in.gate.try_acquire(count);
    if (got) co_await use(in, std::move(*got), count);
  } else if (in.here.percent(20)) {
    auto first = co_await select(in.gate.acquire(count), sleep_for(in.here.some_time()));
    if (first.index() == 0) co_await use(in, std::move(std::get<0>(first)), count);
  } else {
    auto got = co_await in.gate.acquire(count);
    co_await use(in, std::move(got), count);
  }
}

task<> acquire_many(state& in) {
  alive frame;
  for (std::size_t i = 0; i < in.rounds; ++i) {
    try {
      co_await acquire_one(in);
    } catch (const system_error& error) {
      in.here.check(in.is_closed && error.code() == errc::closed, "an open semaphore: {}",
                    error.what());
    }
    if (in.here.percent(in.pause_percent)) {
      co_await sleep_for(in.here.some_time());
    } else if (in.here.percent(30)) {
      co_await yield();
    }
  }
}

// Waits with others: every second one for all permits, so that each is served alone.
task<> wait_in_line(state& in, std::size_t number, std::size_t& served) {
  alive frame;
  std::size_t count = number % 2 == 0 ? in.total : in.here.between(1, in.total);
  auto got = co_await in.gate.acquire(count);
  in.here.check(served == number, "waiter {} is served after {} others", number, served);
  ++served;
}

task<> check_line(state& in) {
  std::size_t served = 0;
  std::vector<join_handle<void>> waiters;
  {
    auto all = co_await in.gate.acquire(in.total);
    for (std::size_t i = 0; i < in.users; ++i) {
      waiters.push_back(spawn(wait_in_line, std::ref(in), i, std::ref(served)));
      co_await sleep_for(1us + in.here.some_time());
    }
  }
  for (auto& each : waiters) co_await each;
}

task<> wait_for_signal(state& in) {
  alive frame;
  for (;;) {
    auto limit = in.here.some_time();
    auto got = co_await timeout(limit, in.signal.wait()).as_result();
    if (got) break;
    if (in.here.percent(50)) continue;
    co_await in.signal.wait();
    break;
  }
  ++in.woken;
}

task<> program(state& in) {
  alive frame;
  scene& here = in.here;
  std::vector<join_handle<void>> users, waiters;
  for (std::size_t i = 0; i < in.users; ++i) {
    users.push_back(spawn(acquire_many, std::ref(in)));
    waiters.push_back(spawn(wait_for_signal, std::ref(in)));
  }
  co_await sleep_for(here.some_time());
  in.signal.set();
  if (here.percent(30)) {
    in.total += 3;
    in.gate.add(3);
  }
  for (auto& each : users) {
    if (here.percent(20)) {
      co_await sleep_for(here.some_time());
      co_await each.cancel();
    } else {
      co_await each;
    }
  }
  for (auto& each : waiters) co_await each;
  here.check(in.woken == in.users, "{} of {} waiters hear of an event", in.woken, in.users);
  here.check(in.gate.available() == in.total, "{} permits of {} are back", in.gate.available(),
             in.total);
  co_await check_line(in);
  if (here.percent(50)) {
    auto kept = co_await in.gate.acquire(in.total);
    auto waiter = spawn(acquire_many, std::ref(in));
    co_await sleep_for(here.some_time());
    in.is_closed = true;
    in.gate.close();
    co_await waiter;
  }
}

}  // namespace

void play_permits(scene& here) {
  auto& in = here.keep<state>(here);
  sim::node& node = here.add_node();
  node.start([&in]() -> task<> { return program(in); });
  if (here.percent(10)) here.world().after(here.some_time(), [&node] { node.kill(); });
  here.run(10min);
  here.end_world();
}

}  // namespace troupe::scenarios
