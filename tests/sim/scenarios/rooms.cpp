// Few who want little, and meet: places in a channel and permits of a semaphore, waited for with
// limits that come in the turn of the wake. At rest nobody waits for what there is.

#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/sync/semaphore.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>

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
  bool is_closed = false;
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

// --- a channel ---

task<> put(state& in, sender<ware>& to) {
  counted now{in.waiting};
  switch (in.here.below(3)) {
    case 0: {
      auto got = co_await timeout(in.moment(), to.send(ware{})).as_result();
      if (got) ++in.held;
      break;
    }
    case 1: {
      auto first = co_await select(sleep_for(in.moment()), to.send(ware{}));
      if (first.index() == 1) ++in.held;
      break;
    }
    default:
      co_await to.send(ware{});
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

task<> play_channel(state& in) {
  auto capacity = static_cast<std::uint32_t>(in.here.between(1, 3));
  auto made = mpsc<ware>(capacity);
  auto from = std::optional{std::move(made.rx)};
  std::vector<join_handle<void>> all;
  std::size_t count = in.here.between(1, 6);
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(spawn(want_room, std::ref(in), made.tx));
  }
  std::size_t steps = in.here.between(0, 6);
  for (std::size_t i = 0; i < steps; ++i) {
    co_await sleep_for(in.moment());
    auto got = from->try_recv();
    if (got) --in.held;
  }
  co_await sleep_for(1s);
  in.here.check(in.held <= capacity, "a channel for {} holds {}", capacity, in.held);
  in.here.check(in.waiting == 0 || in.held == capacity,
                "{} wait for room, and of {} places {} are taken", in.waiting, capacity, in.held);
  in.is_closed = true;
  if (in.here.percent(50)) {
    from->close();
  } else {
    from.reset();
  }
  co_await sleep_for(1s);
  in.here.check(in.waiting == 0, "{} wait for room in a channel that is closed", in.waiting);
  for (auto& each : all) co_await each;
}

// --- a semaphore ---

task<> use(state& in, semaphore::permit got) {
  in.held += got.count();
  co_await sleep_for(in.moment());
  in.held -= got.count();
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
    all.push_back(spawn(want_permits, std::ref(in), std::ref(gate), in.here.between(1, total)));
  }
  bool is_early = in.here.percent(30);
  co_await sleep_for(is_early ? in.moment() : 1s);
  if (!is_early) {
    in.here.check(in.waiting == 0, "{} wait for permits that nobody has", in.waiting);
    in.here.check(gate.available() == total, "{} permits of {} are back", gate.available(), total);
  }
  in.is_closed = true;
  gate.close();
  co_await sleep_for(1s);
  in.here.check(in.waiting == 0, "{} wait for permits of a semaphore that is closed", in.waiting);
  for (auto& each : all) co_await each;
}

task<> program(state& in) {
  alive frame;
  for (std::size_t i = 0; i < in.rounds && !in.here.failure(); ++i) {
    in.is_closed = false;
    in.held = 0;
    if (in.here.percent(50)) {
      co_await play_channel(in);
    } else {
      co_await play_semaphore(in);
    }
  }
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
