// Actors that put mail aside, and programs that end in order: the youngest actor first, each with
// what it has promised.

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/spawn.hpp>

#include "families.hpp"
#include "ledger.hpp"

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

struct lock {};
struct unlock {};

class drawer;

struct state {
  explicit state(scene& in)
      : here{in},
        book{in},
        drawers(in.between(1, 6)),
        writers(in.between(1, 4)),
        letters(in.between(1, 40)),
        stopped(drawers, false) {}

  scene& here;
  ledger book;
  const std::size_t drawers, writers, letters;
  std::vector<ref<drawer>> all;  // Nobody is unreachable.
  std::vector<bool> stopped;
  std::size_t stopping = 0;
  bool is_killed = false;
};

// Locked, it puts letters aside: they come back in their order, before other mail.
class drawer : public actor {
public:
  drawer(state& in, std::size_t number) : in_{in}, number_{number} {}

  task<> on_stop() {
    alive frame;
    in_.here.check(in_.stopping++ == 0, "two actors stop at once");
    for (std::size_t i = number_ + 1; i < in_.drawers; ++i) {
      in_.here.check(in_.stopped[i], "actor {} stops before actor {}, which is younger", number_,
                     i);
    }
    co_await sleep_for(in_.here.below(20) * 1ms);
    in_.stopped[number_] = true;
    --in_.stopping;
  }

  void on(letter<void> m) {
    if (is_locked_) return self().stash(std::move(m));
    m.begin();
    is_locked_ = in_.here.percent(10);
  }
  void on(lock) { is_locked_ = true; }
  void on(unlock) {
    is_locked_ = false;
    self().unstash();
  }

private:
  state& in_;
  const std::size_t number_;
  bool is_locked_ = false;
  alive counted_;
};

task<> send_many(state& in, std::size_t who) {
  alive frame;
  for (std::size_t i = 0; i < in.letters; ++i) {
    std::size_t receiver = in.here.below(in.drawers);
    auto& to = in.all[receiver];
    if (in.here.percent(10)) co_await to.send(lock{});
    if (in.here.percent(10)) co_await to.send(unlock{});
    std::size_t number = in.book.open(who, receiver);
    letter<void> m{in.book, number};
    sending wait{in.book, number};
    auto sent = co_await to.send(take(m)).as_result();
    if (sent) wait.accept();
    if (in.here.percent(30)) co_await sleep_for(in.here.some_time());
  }
}

task<> program(state& in) {
  alive frame;
  for (std::size_t i = 0; i < in.drawers; ++i) {
    actor_options how;
    how.capacity = static_cast<std::uint16_t>(in.here.between(1, 8));
    how.drain = in.here.percent(30);
    in.all.push_back(spawn<drawer>(how, in, i));
  }
  std::vector<join_handle<void>> writers;
  for (std::size_t i = 0; i < in.writers; ++i) {
    writers.push_back(spawn(send_many, std::ref(in), i));
  }
  for (auto& each : writers) co_await each;
}

}  // namespace

void play_stops(scene& here) {
  auto& in = here.keep<state>(here);
  sim::node& node = here.add_node();
  node.start([&in]() -> task<> { return program(in); });
  in.is_killed = here.percent(10);
  if (in.is_killed) here.world().after(here.some_time(), [&node] { node.kill(); });
  here.run(1h);
  for (std::size_t i = 0; i < in.all.size() && !in.is_killed; ++i) {
    here.check(in.stopped[i], "actor {} is not stopped at the end", i);
  }
  here.end_world();
  in.book.settle();
}

}  // namespace troupe::scenarios
