// Few who want little, and meet: places in a channel and permits of a semaphore, waited for with
// limits that come in the turn of the wake. At rest nobody waits for what there is.

#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/sync/semaphore.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include "families.hpp"

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

struct ware {
  alive counted{};
};

struct state {
  explicit state(scene& in) : here{in}, rounds(in.between(1, 20)) {}

  // Short, and of few lengths: what may come together does.
  duration moment() { return here.below(5) * 1ms; }

  scene& here;
  const std::size_t rounds;
  std::size_t waiting = 0;  // Of those who want room or permits.
  std::size_t held = 0;     // Rooms that are taken, or permits.
  bool is_blocked = false;  // Who wants permits stands behind one who wants too much.
  bool is_closed = false;
  time_point closed_at{};
};

struct counted {
  explicit counted(std::size_t& in) : count{in} { ++count; }
  ~counted() { --count; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  std::size_t& count;
};

void check_refusal(state& in, const system_error& error) {
  in.here.check(in.is_closed && error.code() == errc::closed, "who waits is refused: {}",
                error.what());
}

task<> cancel_soon(state& in, join_handle<void> whom) {
  co_await sleep_for(in.moment());
  co_await whom.cancel();
}

// Some go on to their end, some are stopped at a moment.
join_handle<void> watch_over(state& in, join_handle<void> whom) {
  if (in.here.percent(70)) return whom;
  return spawn(cancel_soon, std::ref(in), std::move(whom));
}

// --- a channel ---

task<> put(state& in, sender<ware>& to) {
  counted now{in.waiting};
  ware one;
  switch (in.here.below(3)) {
    case 0: {
      auto got = co_await timeout(in.moment(), to.send(take(one))).as_result();
      if (got) ++in.held;
      break;
    }
    case 1: {
      auto first = co_await select(sleep_for(in.moment()), to.send(take(one)));
      if (first.index() == 1) ++in.held;
      break;
    }
    default:
      co_await to.send(take(one));
      ++in.held;
  }
}

task<> reserve_and_let_go(state& in, sender<ware>& to) {
  std::optional<sender<ware>::permit> got;
  {
    counted now{in.waiting};
    got.emplace(co_await to.reserve());
  }
  counted now{in.held};
  co_await sleep_for(in.moment());
  got.reset();
}

task<> want_room(state& in, sender<ware> to) {
  alive frame;
  co_await sleep_for(in.moment());
  try {
    if (in.here.percent(20)) {
      co_await reserve_and_let_go(in, to);
    } else {
      co_await put(in, to);
    }
  } catch (const system_error& error) {
    check_refusal(in, error);
  }
}

// Takes one, or gives up: what comes then must not be lost.
task<> take_one(state& in, receiver<ware>& from) {
  bool has_come = false;
  switch (in.here.below(3)) {
    case 0: {
      auto got = co_await timeout(in.moment(), from.recv()).as_result();
      has_come = got && *got;
      break;
    }
    case 1: {
      auto first = co_await select(sleep_for(in.moment()), from.recv());
      has_come = first.index() == 1 && std::get<1>(first);
      break;
    }
    default:
      co_await sleep_for(in.moment());
      has_come = from.try_recv().has_value();
  }
  if (has_come) --in.held;
}

task<> end_channel(state& in, std::optional<receiver<ware>>& from) {
  in.is_closed = true;
  if (in.here.percent(30)) {
    from.reset();
  } else {
    from->close();
    co_await sleep_for(in.moment());
    std::vector<ware> left;
    for (std::size_t count = 1; count > 0;) {
      count = co_await from->recv_many(left, 1);
      in.held -= count;
    }
    in.here.check(in.held == 0, "{} of what was sent has not come at the end", in.held);
  }
  co_await sleep_for(1s);
  in.here.check(in.waiting == 0, "{} wait for room in a channel that is closed", in.waiting);
}

task<> play_channel(state& in) {
  auto capacity = static_cast<std::uint32_t>(in.here.between(1, 3));
  auto made = mpsc<ware>(capacity);
  auto from = std::optional{std::move(made.rx)};
  std::vector<join_handle<void>> all;
  std::size_t count = in.here.between(1, 6);
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(watch_over(in, spawn(want_room, std::ref(in), made.tx)));
  }
  std::size_t steps = in.here.between(0, 6);
  for (std::size_t i = 0; i < steps; ++i) {
    co_await take_one(in, *from);
  }
  co_await sleep_for(1s);
  in.here.check(in.held <= capacity, "a channel for {} holds {}", capacity, in.held);
  in.here.check(in.waiting == 0 || in.held == capacity,
                "{} wait for room, and of {} places {} are taken", in.waiting, capacity, in.held);
  co_await end_channel(in, from);
  for (auto& each : all) co_await each;
}

task<> send_one(state& in, sender<ware> to) {
  alive frame;
  counted now{in.waiting};
  ware one;
  co_await to.send(take(one));
  ++in.held;
}

task<> send_unless(state& in, sender<ware> to, event& leaves) {
  alive frame;
  counted now{in.waiting};
  ware one;
  auto first = co_await select(leaves.wait(), to.send(take(one)));
  if (first.index() == 1) ++in.held;
}

task<> cancel_at(time_point when, join_handle<void> whom) {
  co_await sleep_until(when);
  co_await whom.cancel();
}

task<> set_at(time_point when, event& what) {
  co_await sleep_until(when);
  what.set();
}

// Some who wait for room give up in the very moment in which there is some.
task<> play_handover(state& in) {
  auto capacity = static_cast<std::uint32_t>(in.here.between(1, 2));
  auto made = mpsc<ware>(capacity);
  while (made.tx.try_send(ware{})) ++in.held;
  time_point when = now() + 1ms;
  event leaving;
  std::vector<join_handle<void>> all;
  std::size_t count = in.here.between(2, 4);
  for (std::size_t i = 0; i < count; ++i) {
    if (in.here.percent(30)) {
      all.push_back(spawn(send_unless, std::ref(in), made.tx, std::ref(leaving)));
      continue;
    }
    auto one = spawn(send_one, std::ref(in), made.tx);
    bool is_stopped = in.here.percent(30);
    all.push_back(is_stopped ? spawn(cancel_at, when, std::move(one)) : std::move(one));
  }
  all.push_back(spawn(set_at, when, std::ref(leaving)));
  co_await sleep_until(when);
  bool has_come = true;
  while (has_come) {
    auto got = co_await timeout(10ms, made.rx.recv()).as_result();
    has_come = got.has_value();
    if (has_come) --in.held;
  }
  in.here.check(in.waiting == 0, "{} wait for room in a channel that is empty", in.waiting);
  made.rx.close();
  for (auto& each : all) co_await each;
}

// --- a semaphore ---

task<> use(state& in, semaphore::permit got) {
  auto kept = std::move(got);
  co_await sleep_for(in.moment());
}

task<> take_permits(state& in, semaphore& from, std::size_t count) {
  std::optional<semaphore::permit> got;
  {
    counted now{in.waiting};
    switch (in.here.below(3)) {
      case 0: {
        auto in_time = co_await timeout(in.moment(), from.acquire(count)).as_result();
        if (in_time) got.emplace(std::move(*in_time));
        if (!in_time && in_time.error() != errc::timed_out) throw_error(in_time.error());
        break;
      }
      case 1: {
        auto first = co_await select(sleep_for(in.moment()), from.acquire(count));
        if (first.index() == 1) got.emplace(std::move(std::get<1>(first)));
        break;
      }
      default:
        got.emplace(co_await from.acquire(count));
    }
  }
  bool is_late = in.here.turns_take_no_time() && in.is_closed && now() > in.closed_at;
  in.here.check(!got || !is_late, "permits are got of a semaphore that is closed");
  in.here.check(!got || !in.is_blocked, "permits are got before those who have waited for longer");
  if (got) co_await use(in, std::move(*got));
}

task<> want_permits(state& in, semaphore& from, std::size_t count) {
  alive frame;
  co_await sleep_for(in.moment());
  try {
    co_await take_permits(in, from, count);
  } catch (const system_error& error) {
    check_refusal(in, error);
  }
}

task<> play_semaphore(state& in) {
  std::size_t total = in.here.between(1, 3);
  semaphore gate{total};
  std::vector<join_handle<void>> all;
  std::size_t count = in.here.between(1, 6);
  for (std::size_t i = 0; i < count; ++i) {
    auto made = spawn(want_permits, std::ref(in), std::ref(gate), in.here.between(1, total));
    all.push_back(watch_over(in, std::move(made)));
  }
  bool is_early = in.here.percent(30);
  duration length = is_early ? in.moment() : duration{1s};
  co_await sleep_for(length);
  if (!is_early) {
    in.here.check(in.waiting == 0, "{} wait for permits that nobody has", in.waiting);
    in.here.check(gate.available() == total, "{} permits of {} are back", gate.available(), total);
  }
  in.is_closed = true;
  in.closed_at = now();
  gate.close();
  co_await sleep_for(1s);
  in.here.check(in.waiting == 0, "{} wait for permits of a semaphore that is closed", in.waiting);
  for (auto& each : all) co_await each;
}

// The first in the line wants too much, and leaves: those behind it find what they want.
task<> play_line(state& in) {
  std::size_t left = in.here.between(1, 3);
  std::size_t kept = in.here.between(1, 3);
  semaphore gate{left + kept};
  auto mine = co_await gate.acquire(kept);
  auto first = spawn(
      [](state& of, semaphore& from, std::size_t all) -> task<> {
        duration limit = 1ms + of.moment();
        of.is_blocked = true;
        auto got = co_await timeout(limit, from.acquire(all)).as_result();
        of.is_blocked = false;
        of.here.check(!got, "permits are got that somebody else has");
      },
      std::ref(in), std::ref(gate), left + kept);
  co_await yield();
  std::vector<join_handle<void>> all;
  for (std::size_t i = 0; i < left; ++i) {
    all.push_back(spawn(want_permits, std::ref(in), std::ref(gate), 1));
  }
  co_await first;
  co_await sleep_for(1s);
  in.here.check(in.waiting == 0, "{} wait for permits that nobody has", in.waiting);
  mine.release();
  for (auto& each : all) co_await each;
}

task<> program(state& in) {
  alive frame;
  for (std::size_t i = 0; i < in.rounds && !in.here.failure(); ++i) {
    in.is_closed = false;
    in.held = 0;
    switch (in.here.below(3)) {
      case 0:
        co_await play_channel(in);
        break;
      case 1:
        co_await play_handover(in);
        break;
      default:
        co_await play_semaphore(in);
    }
  }
  in.is_closed = false;
  if (!in.here.failure()) co_await play_line(in);
}

}  // namespace

void play_rooms(scene& here) {
  auto& in = here.keep<state>(here);
  sim::node& node = here.add_node();
  node.start([&in]() -> task<> { return program(in); });
  here.run(1h);
  here.end_world();
}

}  // namespace troupe::scenarios
