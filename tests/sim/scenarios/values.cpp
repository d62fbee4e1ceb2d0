// Values that many look at: broadcasts, watched values, and those that are sent once.

#include <chrono>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/broadcast.hpp>
#include <troupe/sync/oneshot.hpp>
#include <troupe/sync/watch.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include "families.hpp"

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

struct value {
  std::uint64_t number = 0;
  alive counted{};
};

struct state {
  explicit state(scene& in)
      : here{in},
        capacity(static_cast<std::uint32_t>(in.between(1, in.percent(50) ? 4 : 40))),
        values(in.between(1, 80)),
        readers(in.between(1, 5)),
        writers(in.between(1, 3)),
        pause_percent(in.between(0, 80)) {}

  scene& here;
  const std::uint32_t capacity;
  const std::size_t values, readers, writers;
  const std::uint64_t pause_percent;
  std::uint64_t sent = 0;     // Numbers of the broadcast, in one order.
  std::uint64_t changed = 0;  // The same of the watched value.
  std::size_t waits_for_one = 0;

  // Returns: whether to pause.
  bool pauses() { return here.percent(pause_percent); }
};

// --- broadcast ---

void check_value(state& in, const std::variant<value, lagged>& got, std::uint64_t& expected) {
  if (const auto* gap = std::get_if<lagged>(&got)) {
    std::uint64_t behind = in.sent + 1 - expected;
    in.here.check(behind > in.capacity && gap->count == behind - in.capacity,
                  "a reader is told of {} missed values: it is {} behind, {} are kept", gap->count,
                  behind, in.capacity);
    expected += gap->count;
    return;
  }
  std::uint64_t number = std::get<value>(got).number;
  in.here.check(number == expected, "a reader of a broadcast gets value {} in place of {}", number,
                expected);
  expected = number + 1;
}

task<bool> hear_one(state& in, broadcast_receiver<value>& from, std::uint64_t& expected) {
  std::optional<std::variant<value, lagged>> got;
  if (in.here.percent(30)) {
    auto limit = in.here.some_time();
    auto in_time = co_await timeout(limit, from.recv()).as_result();
    if (!in_time) co_return true;
    got = std::move(*in_time);
  } else if (in.here.percent(30)) {
    auto first = co_await select(from.recv(), sleep_for(in.here.some_time()));
    if (first.index() == 1) co_return true;
    got = std::move(std::get<0>(first));
  } else {
    got = co_await from.recv();
  }
  if (!got) co_return false;
  check_value(in, *got, expected);
  co_return true;
}

task<> hear_all(state& in, broadcast_receiver<value> from, std::uint64_t expected) {
  alive frame;
  std::size_t rounds = in.here.percent(20) ? in.here.between(0, 20) : SIZE_MAX;
  for (std::size_t i = 0; i < rounds; ++i) {
    bool is_open = co_await hear_one(in, from, expected);
    if (!is_open) {
      in.here.check(expected == in.sent + 1, "a broadcast ends after {} of {} values", expected - 1,
                    in.sent);
      co_return;
    }
    if (in.pauses()) co_await sleep_for(in.here.some_time());
  }
}

task<> tell_all(state& in, broadcast_sender<value> to) {
  alive frame;
  std::vector<join_handle<void>> late;
  for (std::size_t i = 0; i < in.values; ++i) {
    (void)to.send(value{++in.sent});
    if (in.here.percent(5)) {
      late.push_back(spawn(hear_all, std::ref(in), to.subscribe(), in.sent + 1));
    }
    if (in.pauses()) {
      co_await sleep_for(in.here.some_time());
    } else if (in.here.percent(30)) {
      co_await yield();
    }
  }
  for (auto& each : late) each.detach();
}

// --- watch ---

task<> look_on(state& in, watch_receiver<value> from) {
  alive frame;
  std::uint64_t seen = 0;
  for (;;) {
    std::optional<value> got;
    if (in.here.percent(30)) {
      auto limit = in.here.some_time();
      auto in_time = co_await timeout(limit, from.next()).as_result();
      if (!in_time) continue;
      got = std::move(*in_time);
    } else {
      got = co_await from.next();
    }
    if (!got) break;
    in.here.check(got->number > seen, "a watched value {} comes after {}", got->number, seen);
    in.here.check(got->number == in.changed, "a watched value is {}, and {} is told", in.changed,
                  got->number);
    seen = got->number;
    if (in.pauses()) co_await sleep_for(in.here.some_time());
  }
  in.here.check(seen == in.changed, "a watch ends after value {}, the last one is {}", seen,
                in.changed);
}

task<> change(state& in, watch_sender<value> to) {
  alive frame;
  for (std::size_t i = 0; i < in.values; ++i) {
    if (in.here.percent(50)) {
      to.set(value{++in.changed});
    } else {
      to.update([&in](value& place) { place.number = ++in.changed; });
    }
    if (in.pauses()) co_await sleep_for(in.here.some_time());
  }
}

// --- oneshot ---

task<> wait_for_one(state& in, oneshot_receiver<value> from, std::uint64_t number, bool is_sent) {
  alive frame;
  while (in.here.percent(60)) {
    auto limit = in.here.some_time();
    auto got = co_await timeout(limit, from.as_operation()).as_result();
    if (!got && got.error() == errc::timed_out) continue;
    in.here.check(got ? is_sent && got->number == number : !is_sent && got.error() == errc::closed,
                  "value {}, sent once, comes wrong", number);
    co_return;
  }
  if (in.here.percent(20)) co_return;  // Nobody will look.
  auto got = co_await from.as_result();
  in.here.check(got ? is_sent && got->number == number : !is_sent && got.error() == errc::closed,
                "value {}, sent once, comes wrong in the end", number);
}

task<> send_once(state& in, oneshot_sender<value> to, std::uint64_t number, bool is_sent) {
  alive frame;
  if (in.pauses()) co_await sleep_for(in.here.some_time());
  if (!is_sent) co_return;
  bool is_alone = to.receiver_gone();
  auto back = to.send(value{number});
  in.here.check(back.has_value() == is_alone && (!back || back->number == number),
                "value {}, sent once, comes back wrong", number);
}

task<> program(state& in) {
  alive frame;
  scene& here = in.here;
  std::vector<join_handle<void>> all;
  {
    auto [tx, rx] = broadcast<value>(in.capacity);
    all.push_back(spawn(hear_all, std::ref(in), std::move(rx), 1));
    for (std::size_t i = 1; i < in.readers; ++i) {
      all.push_back(spawn(hear_all, std::ref(in), tx.subscribe(), 1));
    }
    for (std::size_t i = 0; i < in.writers; ++i) {
      all.push_back(spawn(tell_all, std::ref(in), tx));
    }
  }
  {
    auto [tx, rx] = watch(value{});
    for (std::size_t i = 0; i < in.readers; ++i) all.push_back(spawn(look_on, std::ref(in), rx));
    for (std::size_t i = 0; i < in.writers; ++i) all.push_back(spawn(change, std::ref(in), tx));
  }
  for (std::uint64_t i = 0; i < in.values; ++i) {
    auto [tx, rx] = oneshot<value>();
    bool is_sent = here.percent(80);
    all.push_back(spawn(wait_for_one, std::ref(in), std::move(rx), i, is_sent));
    all.push_back(spawn(send_once, std::ref(in), std::move(tx), i, is_sent));
  }
  for (auto& each : all) co_await each;
}

}  // namespace

void play_values(scene& here) {
  auto& in = here.keep<state>(here);
  sim::node& node = here.add_node();
  node.start([&in]() -> task<> { return program(in); });
  if (here.percent(10)) here.world().after(here.some_time(), [&node] { node.kill(); });
  here.run(10min);
  here.end_world();
}

}  // namespace troupe::scenarios
