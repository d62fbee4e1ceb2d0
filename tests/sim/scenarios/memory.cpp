// What allocates, while allocations fail, and work that blocks.

#include <chrono>
#include <functional>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/actor/supervisor.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/spawn_blocking.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sync/join_set.hpp>
#include <troupe/sync/mpsc.hpp>
#include <troupe/task/scope.hpp>
#include <troupe/task/spawn.hpp>

#include "ask_book.hpp"
#include "families.hpp"
#include "ledger.hpp"

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

using note = letter<void>;

struct state {
  explicit state(scene& in)
      : here{in},
        notes{in},
        asks{in},
        workers(in.between(1, 5)),
        rounds(in.between(5, 60)),
        refuses_one_of(in.percent(80) ? in.between(3, 60) : 0) {}

  scene& here;
  ledger notes;
  ask_book asks;
  const std::size_t workers, rounds;
  const std::uint64_t refuses_one_of;  // Allocations; zero: none.
  std::size_t blocking_works = 0;
  std::size_t last_sender = 0;  // Each sends once: those of several have no order.
};

struct question {
  std::size_t number = 0;
  bool is_slow = false;
  alive counted{};
};

class clerk : public actor {
public:
  explicit clerk(state* in) : in_{in} {}

  void on(note m) { m.begin(); }
  task<std::int64_t> on(question m) {
    alive frame;
    in_->asks.begin(m.number);
    if (m.is_slow) co_await sleep_for(in_->here.some_time());
    co_return ask_book::right_answer(m.number);
  }

private:
  state* in_;
  alive counted_;
};

task<std::size_t> give_back(std::size_t number) {
  alive frame;
  co_await sleep_for(1ms);
  co_return number;
}

task<> ask_something(state& in, const ref<clerk>& whom) {
  std::size_t number = in.asks.open({.may_be_full = true});
  question m{number, in.here.percent(50)};
  asking wait{in.asks, number};
  auto got = co_await whom.ask(take(m), no_deadline).as_result();
  wait.end(got);
}

task<> send_something(state& in, const ref<clerk>& whom) {
  std::size_t number = in.notes.open(in.last_sender++, 0);
  sending wait{in.notes, number};
  note m{in.notes, number};
  auto sent = co_await whom.send(take(m)).as_result();
  if (sent) wait.accept();
}

task<> use_channel(state& in) {
  auto [tx, rx] = mpsc<std::size_t>(2);
  for (std::size_t i = 0; i < 5; ++i) {
    co_await tx.send(i);
    auto got = co_await rx.recv();
    in.here.check(got == i, "a channel gives another value than was sent");
  }
}

task<> use_tasks(state& in) {
  std::size_t sum = 0;
  co_await scope([&](scope_handle open) -> task<> {
    for (std::size_t i = 1; i <= 3; ++i) {
      open.spawn([&sum, i]() -> task<> { sum += co_await give_back(i); });
    }
    co_return;
  });
  in.here.check(sum == 6, "the tasks of a scope give {} in place of 6", sum);
  join_set<std::size_t> set;
  for (std::size_t i = 0; i < 3; ++i) set.spawn(give_back, i);
  auto all = co_await set.join_all();
  in.here.check(all.size() == 3, "a set of 3 gives {} values", all.size());
  auto got = co_await timeout(1s, give_back(7)).as_result();
  in.here.check(got && *got == 7, "a limit of a second ends what takes a millisecond");
}

task<> use_actor(state& in) {
  auto own = spawn<clerk>(&in);
  co_await ask_something(in, own);
  co_await send_something(in, own);
}

task<> use_blocking_work(state& in) {
  std::size_t number = ++in.blocking_works;
  auto work = spawn_blocking([number] { return number * 3; });
  auto limit = in.here.some_time();
  auto got = co_await timeout(limit, std::move(work)).as_result();
  in.here.check(got ? *got == number * 3 : got.error() == errc::timed_out,
                "blocking work gives something else");
}

task<> strive(state& in, ref<clerk> whom) {
  alive frame;
  for (std::size_t i = 0; i < in.rounds; ++i) {
    try {
      switch (in.here.below(6)) {
        case 0:
          co_await send_something(in, whom);
          break;
        case 1:
          co_await use_channel(in);
          break;
        case 2:
          co_await use_tasks(in);
          break;
        case 3:
          co_await use_actor(in);
          break;
        case 4:
          co_await use_blocking_work(in);
          break;
        default:
          co_await ask_something(in, whom);
      }
    } catch (const std::bad_alloc&) {
      in.here.check(in.refuses_one_of > 0, "no memory, and none was refused");
    }
    if (in.here.percent(20)) co_await sleep_for(in.here.some_time());
  }
}

task<> program(state& in) {
  alive frame;
  supervision how;
  how.max_restarts = supervision::unlimited;
  auto above = spawn<supervisor>(how);
  std::vector<join_handle<void>> all;
  auto whom = spawn_child<clerk>(above, &in);
  for (std::size_t i = 0; i < in.workers; ++i) all.push_back(spawn(strive, std::ref(in), whom));
  in.here.world().fail_allocations(in.refuses_one_of);
  for (auto& each : all) {
    try {
      co_await each;
    } catch (const std::bad_alloc&) {
      // Its frame, or that of its last round.
    }
  }
  in.here.world().fail_allocations(0);
  above.stop();
  co_await above.ended();
}

}  // namespace

void play_memory(scene& here) {
  auto& in = here.keep<state>(here);
  sim::node& node = here.add_node();
  node.start([&in]() -> task<> { return program(in); });
  if (here.percent(15)) here.break_off(node);
  here.run(1h);
  here.end_world();
  in.notes.settle();
}

}  // namespace troupe::scenarios
