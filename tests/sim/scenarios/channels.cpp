// Channels with room and without, receivers that give up and go on, close or leave.

#include <chrono>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include "families.hpp"
#include "ledger.hpp"

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

using parcel = letter<void>;

// One channel.
struct wire {
  std::size_t number = 0;
  std::uint32_t capacity = 0;  // Zero: without a bound.
  std::size_t reserved = 0;
  bool closes = false;       // The receiver closes it, or leaves, before the senders do.
  bool has_ended = false;    // The receiver was told of the end.
  bool drains_only = false;  // The receiver waits, and does nothing else.
};

struct state {
  explicit state(scene& in)
      : here{in},
        book{in},
        wires(in.between(1, 3)),
        senders(in.between(1, 5)),
        parcels(in.between(1, 60)),
        pause_percent(in.between(0, 60)) {
    for (std::size_t i = 0; i < wires.size(); ++i) {
      wires[i].number = i;
      wires[i].capacity =
          static_cast<std::uint32_t>(in.percent(15) ? 0 : in.between(1, in.percent(60) ? 4 : 70));
      wires[i].closes = in.percent(25);
    }
  }

  scene& here;
  ledger book;
  std::vector<wire> wires;
  const std::size_t senders, parcels;
  const std::uint64_t pause_percent;
  bool is_broken_off = false;
};

void check_room(state& in, const wire& of) {
  std::size_t taken = in.book.waiting_at(of.number) + of.reserved;
  in.here.check(of.capacity == 0 || taken <= of.capacity,
                "channel {} holds {} messages, and has room for {}", of.number, taken, of.capacity);
}

void note_sent(state& in, const wire& on, sending& wait) {
  wait.accept();
  in.here.check(!on.has_ended, "channel {} takes a message after its end", on.number);
  check_room(in, on);
}

// The right to send may be kept for a while, and dropped.
task<> send_by_permit(state& in, sender<parcel>& to, wire& on, sending& wait, parcel m) {
  struct reservation {
    explicit reservation(wire& of) : on{of} { ++on.reserved; }
    ~reservation() { --on.reserved; }
    reservation(const reservation&) = delete;
    reservation& operator=(const reservation&) = delete;
    wire& on;
  };
  auto permit = co_await to.reserve();
  reservation kept{on};
  check_room(in, on);
  if (in.here.percent(50)) co_await sleep_for(in.here.some_time());
  if (in.here.percent(30)) co_return;
  bool is_refused = on.has_ended && on.capacity == 0;
  std::move(permit).send(std::move(m));
  if (!is_refused) wait.accept();
}

task<> send_one(state& in, sender<parcel>& to, wire& on, std::size_t who) {
  std::size_t number = in.book.open(who, on.number);
  parcel m{in.book, number};
  sending wait{in.book, number};
  try {
    switch (in.here.below(6)) {
      case 0: {
        auto sent = to.try_send(std::move(m));
        if (sent) note_sent(in, on, wait);
        break;
      }
      case 1: {
        auto limit = in.here.some_time();
        auto sent = co_await timeout(limit, to.send(take(m))).as_result();
        if (sent) note_sent(in, on, wait);
        break;
      }
      case 2: {
        auto first = co_await select(to.send(take(m)), sleep_for(in.here.some_time()));
        if (first.index() == 0) note_sent(in, on, wait);
        break;
      }
      case 3:
        co_await send_by_permit(in, to, on, wait, std::move(m));
        break;
      default:
        co_await to.send(take(m));
        note_sent(in, on, wait);
    }
  } catch (const system_error& error) {
    in.here.check((on.closes || in.is_broken_off) && error.code() == errc::closed,
                  "a send on channel {} fails with {}", on.number, error.what());
  }
}

task<> send_many(state& in, std::vector<sender<parcel>> to, std::size_t who) {
  alive frame;
  for (std::size_t i = 0; i < in.parcels; ++i) {
    std::size_t chosen = in.here.below(to.size());
    co_await send_one(in, to[chosen], in.wires[chosen], who);
    if (in.here.percent(in.pause_percent)) {
      co_await sleep_for(in.here.some_time());
    } else if (in.here.percent(20)) {
      co_await yield();
    }
  }
}

// Returns: false at the end of the channel.
bool take_in(std::optional<parcel> got) {
  if (got) got->begin();
  return got.has_value();
}

task<bool> receive_some(state& in, receiver<parcel>& from, const wire& on) {
  switch (on.drains_only ? 0 : in.here.below(5)) {
    case 1: {
      std::vector<parcel> got;
      std::size_t count = co_await from.recv_many(got, in.here.between(1, 10));
      in.here.check(count == got.size(), "{} messages are told, {} received", count, got.size());
      for (const parcel& each : got) each.begin();
      co_return count > 0;
    }
    case 2: {
      auto got = from.try_recv();
      if (got) got->begin();
      co_await yield();
      co_return got || got.error() != errc::closed;
    }
    case 3: {
      auto limit = in.here.some_time();
      auto got = co_await timeout(limit, from.recv()).as_result();
      if (!got) co_return true;
      co_return take_in(std::move(*got));
    }
    case 4: {
      auto first = co_await select(sleep_for(in.here.some_time()), from.recv());
      if (first.index() == 0) co_return true;
      co_return take_in(std::move(std::get<1>(first)));
    }
    default: {
      auto got = co_await from.recv();
      co_return take_in(std::move(got));
    }
  }
}

task<bool> receive_many(state& in, receiver<parcel>& from, const wire& on) {
  alive frame;
  for (bool is_open = true; is_open;) {
    is_open = co_await receive_some(in, from, on);
    if (is_open && !on.drains_only && in.here.percent(in.pause_percent)) {
      co_await sleep_for(in.here.some_time());
    }
  }
  co_return false;
}

// Begins again whenever it is stopped in the middle.
task<> receive_all(state& in, receiver<parcel> from, wire& on) {
  alive frame;
  std::size_t rounds = on.closes ? in.here.between(1, 20) : SIZE_MAX;
  bool is_open = true;
  for (std::size_t i = 0; is_open && i < rounds; ++i) {
    if (on.drains_only) {
      is_open = co_await receive_many(in, from, on);
    } else {
      auto limit = in.here.some_time();
      auto got = co_await timeout(limit, receive_many(in, from, on)).as_result();
      is_open = !got || *got;
    }
  }
  if (is_open && in.here.percent(50)) {
    from.close();
    (void)co_await receive_many(in, from, on);
    is_open = false;
  }
  if (is_open) co_return;  // What is left is destroyed.
  on.has_ended = true;
  std::size_t reserved = on.capacity == 0 ? 0 : on.reserved;
  in.here.check(in.book.waiting_at(on.number) == 0 && reserved == 0,
                "channel {} ends with {} messages and {} permits left", on.number,
                in.book.waiting_at(on.number), reserved);
}

// A channel whose receiver waits has all of its room.
void check_all_room(state& in, sender<parcel>& to, wire& on) {
  std::size_t count = 0;
  for (; count <= on.capacity; ++count) {
    std::size_t number = in.book.open(in.senders, on.number);
    sending wait{in.book, number};
    if (!to.try_send(parcel{in.book, number})) break;
    wait.accept();
  }
  in.here.check(count == on.capacity, "channel {} takes {} messages, and has room for {}",
                on.number, count, on.capacity);
}

task<> program(state& in) {
  alive frame;
  scene& here = in.here;
  std::vector<sender<parcel>> ends;
  std::vector<join_handle<void>> receivers;
  for (wire& each : in.wires) {
    auto made = each.capacity == 0 ? mpsc_unbounded<parcel>() : mpsc<parcel>(each.capacity);
    ends.push_back(std::move(made.tx));
    receivers.push_back(spawn(receive_all, std::ref(in), std::move(made.rx), std::ref(each)));
  }
  std::vector<join_handle<void>> senders;
  for (std::size_t i = 0; i < in.senders; ++i) {
    senders.push_back(spawn(send_many, std::ref(in), ends, i));
  }
  for (auto& each : senders) {
    if (here.percent(10)) {
      co_await sleep_for(here.some_time());
      co_await each.cancel();
    } else {
      co_await each;
    }
  }
  for (wire& each : in.wires) each.drains_only = true;
  co_await sleep_for(1min);
  for (wire& each : in.wires) {
    if (!each.closes && each.capacity > 0) check_all_room(in, ends[each.number], each);
  }
  ends.clear();
  for (auto& each : receivers) co_await each;
}

}  // namespace

void play_channels(scene& here) {
  auto& in = here.keep<state>(here);
  sim::node& node = here.add_node();
  node.start([&in]() -> task<> { return program(in); });
  in.is_broken_off = here.percent(20);
  if (in.is_broken_off) here.break_off(node);
  here.run(10min);
  here.end_world();
  for (const wire& each : in.wires) {
    here.check(each.closes || in.is_broken_off || each.has_ended, "channel {} has no end",
               each.number);
  }
  in.book.settle_ends();
}

}  // namespace troupe::scenarios
