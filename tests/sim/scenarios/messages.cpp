// Many senders, few mailboxes: waiting, refusing, dropping, crashing and ending ones.

#include <chrono>
#include <string>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/yield.hpp>

#include "families.hpp"
#include "ledger.hpp"

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

struct plain {};
struct slow {};
struct start {};

// What one scenario chooses.
struct plan {
  explicit plan(scene& here)
      : readers(here.between(1, 6)),
        writers(here.between(1, 10)),
        letters(here.between(1, 100)),
        crash_permille(here.percent(30) ? here.between(1, 60) : 0),
        halt_permille(here.percent(20) ? here.between(1, 20) : 0),
        slow_percent(here.between(0, 100)),
        pause_percent(here.between(0, 100)) {}

  std::size_t readers, writers, letters;
  std::uint64_t crash_permille, halt_permille, slow_percent, pause_percent;
};

struct state {
  explicit state(scene& in) : here{in}, chosen{in}, book{in} {}

  scene& here;
  const plan chosen;
  ledger book;
};

class reader : public actor {
public:
  reader(state& in, std::size_t number, actor_options how)
      : in_{in}, number_{number}, how_{std::move(how)} {}

  void on(letter<plain> m) {
    occupied now{*this};
    begin(m);
  }
  task<> on(letter<slow> m) {
    alive frame;
    occupied now{*this};
    begin(m);
    co_await sleep_for(in_.here.some_time());
    maybe_crash();
  }

private:
  // One handler at a time, its waits included.
  struct occupied {
    explicit occupied(reader& by) : of{by} {
      of.in_.here.check(!of.is_busy_, "reader {} runs two handlers at once", of.number_);
      of.is_busy_ = true;
    }
    ~occupied() { of.is_busy_ = false; }
    occupied(const occupied&) = delete;
    occupied& operator=(const occupied&) = delete;
    reader& of;
  };

  template <class Kind>
  void begin(const letter<Kind>& m) {
    m.begin();
    std::size_t waiting = in_.book.waiting_at(number_);
    in_.here.check(how_.unbounded || how_.capacity == 0 || waiting <= how_.capacity,
                   "reader {} has {} letters waiting, and room for {}", number_, waiting,
                   how_.capacity);
    maybe_crash();
  }
  void maybe_crash() const {
    if (in_.here.below(1000) < in_.chosen.crash_permille) throw planned_crash{};
    if (in_.here.below(1000) < in_.chosen.halt_permille) self().stop();
  }

  state& in_;
  const std::size_t number_;
  const actor_options how_;
  bool is_busy_ = false;
  alive counted_;
};

template <class Kind>
task<> send_in_some_way(state& in, const ref<reader>& to, std::size_t number) {
  letter<Kind> m{in.book, number};
  sending wait{in.book, number};
  switch (in.here.below(5)) {
    case 0: {
      auto sent = to.try_send(std::move(m));
      if (sent) wait.accept();
      break;
    }
    case 1: {
      auto sent = co_await to.send(take(m)).as_result();
      if (sent) wait.accept();
      break;
    }
    case 2: {
      auto limit = in.here.some_time();
      auto sent = co_await timeout(limit, to.send(take(m))).as_result();
      if (sent) wait.accept();
      break;
    }
    case 3: {
      auto first = co_await select(to.send(take(m)), sleep_for(in.here.some_time()));
      if (first.index() == 0) wait.accept();
      break;
    }
    default:
      co_await to.send(take(m));
      wait.accept();
  }
}

task<> send_one(state& in, const ref<reader>& to, std::size_t sender, std::size_t receiver) {
  bool is_slow = in.here.percent(in.chosen.slow_percent);
  std::size_t number = in.book.open(sender, receiver);
  try {
    if (is_slow) {
      co_await send_in_some_way<slow>(in, to, number);
    } else {
      co_await send_in_some_way<plain>(in, to, number);
    }
  } catch (const system_error&) {
    // Handed back, as the ledger knows.
  }
}

task<> send_many(state& in, std::vector<ref<reader>> to, std::size_t sender) {
  alive frame;
  for (std::size_t i = 0; i < in.chosen.letters && !to.empty(); ++i) {
    std::size_t receiver = in.here.below(to.size());
    co_await send_one(in, to[receiver], sender, receiver);
    if (in.here.percent(in.chosen.pause_percent)) {
      co_await sleep_for(in.here.some_time());
    } else if (in.here.percent(20)) {
      co_await yield();
    }
  }
}

// Sends from a handler, or from a side task.
class writer : public actor {
public:
  writer(state& in, std::vector<ref<reader>> to, std::size_t number)
      : in_{in}, to_{std::move(to)}, number_{number} {}

  task<> on(start) {
    if (in_.here.percent(50)) {
      self().spawn(send_many, std::ref(in_), to_, number_);
    } else {
      co_await send_many(in_, to_, number_);
    }
  }

private:
  state& in_;
  std::vector<ref<reader>> to_;
  const std::size_t number_;
  alive counted_;
};

actor_options some_options(scene& here) {
  actor_options how;
  switch (here.below(4)) {
    case 0:
      break;
    case 1:
      how.unbounded = true;
      break;
    default:
      how.capacity = static_cast<std::uint16_t>(here.between(1, here.percent(50) ? 4 : 40));
  }
  constexpr overflow policies[] = {overflow::wait, overflow::wait, overflow::reject,
                                   overflow::drop_newest};
  how.when_full = policies[here.below(4)];
  how.drain = here.percent(30);
  return how;
}

task<> program(state& in) {
  alive frame;
  scene& here = in.here;
  std::vector<ref<reader>> readers;
  for (std::size_t i = 0; i < in.chosen.readers; ++i) {
    actor_options how = some_options(here);
    readers.push_back(spawn<reader>(how, in, i, how));
    if (here.percent(15)) here.plan_an_end(weak_ref{readers.back()});
  }
  std::vector<join_handle<void>> tasks;
  std::vector<ref<writer>> writers;
  for (std::size_t i = 0; i < in.chosen.writers; ++i) {
    if (here.percent(60)) {
      tasks.push_back(spawn(send_many, std::ref(in), readers, i));
    } else {
      writers.push_back(spawn<writer>(in, readers, i));
      co_await writers.back().send(start{});
    }
  }
  if (here.percent(30)) readers.clear();  // Those who send keep them.
  for (auto& each : tasks) {
    if (here.percent(10)) {
      co_await sleep_for(here.some_time());
      co_await each.cancel();
    } else {
      co_await each;
    }
  }
  if (here.percent(20) && !readers.empty()) {
    readers[0].stop();
    co_await readers[0].ended();
  }
}

}  // namespace

void play_messages(scene& here) {
  auto& in = here.keep<state>(here);
  sim::node& node = here.add_node();
  node.start([&in]() -> task<> { return program(in); });
  if (here.percent(20)) here.break_off(node);
  here.run(10min);
  here.end_world();
  in.book.settle();
}

}  // namespace troupe::scenarios
