// Chains of actors that ask one another: whose limit is in force, and until when.

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/sched/sleep.hpp>

#include "ask_book.hpp"
#include "families.hpp"

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

// The limit in force of a request.
struct deadline {
  std::optional<duration> at{};  // Time of the world; none: it may take for ever.
  duration lateness{};
};

struct state {
  explicit state(scene& in)
      : here{in},
        book{in},
        default_limit(in.percent(50) ? 5s : 20ms + 1ms * in.below(500)),
        length(in.between(1, 6)),
        clients(in.between(1, 6)),
        questions(in.between(1, 20)),
        never_percent(in.between(0, 50)) {}

  [[nodiscard]] duration some_wait() {
    if (here.percent(60)) return here.some_time();
    return default_limit * here.below(150) / 100;
  }

  scene& here;
  ask_book book;
  const duration default_limit;
  const std::size_t length, clients, questions;
  const std::uint64_t never_percent;
};

struct question {
  std::size_t number = 0;
  deadline until{};
  alive counted{};
};

// Asks with a limit of some kind, under one that is in force already.
task<> ask_next(state& in, auto& next, const deadline& outer) {
  scene& here = in.here;
  ask_limit limit{};
  deadline mine = outer, inherited = outer;
  switch (here.below(4)) {
    case 0: {
      duration length = 1ms + in.some_wait();
      limit = within(length);
      mine = {here.now() + length, ask_book::exact};
      // Those who inherit a long one need not be so exact.
      inherited = mine;
      if (length >= in.default_limit) inherited.lateness = ask_book::coarse(length);
      break;
    }
    case 1:
      if (in.never_percent > 0) break;  // It might wait for ever.
      limit = no_deadline;
      mine = inherited = {};
      break;
    default:
      break;
  }
  if (!mine.at && limit.is == ask_limit::kind::inherited) {
    mine = {here.now() + in.default_limit, ask_book::coarse(in.default_limit)};
    inherited = mine;
  }
  ask_book::promise given;
  if (mine.at) given.limit = std::max(*mine.at - here.now(), duration::zero());
  given.lateness = mine.lateness;
  std::size_t number = in.book.open(given);
  asking wait{in.book, number};
  question m{number, inherited};
  auto got = co_await next.ask(take(m), limit).as_result();
  wait.end(got);
}

class link : public actor {
public:
  link(state& in, std::optional<ref<link>> next) : in_{in}, next_{std::move(next)} {}

  task<std::int64_t> on(question m) {
    alive frame;
    begin(m);
    co_await sleep_for(in_.some_wait());
    if (next_) co_await ask_next(in_, *next_, m.until);
    while (!next_ && in_.here.percent(in_.never_percent)) co_await sleep_for(in_.default_limit);
    co_return ask_book::right_answer(m.number);
  }

private:
  void begin(const question& m) const {
    in_.book.begin(m.number);
    // A coarse one whose asker has given up is not counted on.
    bool is_exact = m.until.at && m.until.lateness == ask_book::exact;
    if (!is_exact || !in_.here.turns_take_no_time()) return;
    in_.here.check(in_.here.now() <= *m.until.at + m.until.lateness,
                   "request {} is run {} ns after its limit", m.number,
                   (in_.here.now() - *m.until.at).count());
  }

  state& in_;
  const std::optional<ref<link>> next_;
  alive counted_;
};

task<> ask_many(state& in, std::vector<ref<link>> chain) {
  alive frame;
  for (std::size_t i = 0; i < in.questions; ++i) {
    auto& first = chain[in.here.below(chain.size())];
    co_await ask_next(in, first, deadline{});
    if (in.here.percent(30)) co_await sleep_for(in.here.some_time());
  }
}

task<> program(state& in) {
  alive frame;
  std::vector<ref<link>> chain;
  for (std::size_t i = 0; i < in.length; ++i) {
    auto next = chain.empty() ? std::nullopt : std::optional{chain.back()};
    chain.push_back(spawn<link>(in, next));
  }
  std::vector<join_handle<void>> clients;
  for (std::size_t i = 0; i < in.clients; ++i) {
    clients.push_back(spawn(ask_many, std::ref(in), chain));
  }
  chain.clear();
  for (auto& each : clients) co_await each;
}

}  // namespace

void play_deadlines(scene& here) {
  auto& in = here.keep<state>(here);
  runtime_config config;
  config.deadline = in.default_limit;
  sim::node& node = here.add_node(config);
  node.start([&in]() -> task<> { return program(in); });
  if (here.percent(15)) here.break_off(node);
  here.run(24h);
  here.end_world();
}

}  // namespace troupe::scenarios
