// Supervised groups, and one failure at a time: who begins anew, and what becomes of the mail.

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/actor/supervisor.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/task/spawn.hpp>

#include "families.hpp"
#include "ledger.hpp"

namespace troupe::scenarios {

using namespace std::chrono_literals;

namespace {

struct crash {};

struct state {
  explicit state(scene& in)
      : here{in},
        book{in},
        children(in.between(1, 6)),
        failures(in.between(1, 5)),
        strategy{static_cast<restart_strategy>(in.below(3))},
        births(children, 0) {}

  scene& here;
  ledger book;
  const std::size_t children, failures;
  const restart_strategy strategy;
  std::vector<std::size_t> births;
  std::vector<std::size_t> ends;  // In their order, since the last failure.
  bool is_over = false;           // The supervisor is asked to stop.
};

class child : public actor {
public:
  child(state* in, std::size_t number) : in_{in}, number_{number} { ++in_->births[number_]; }
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child() { in_->ends.push_back(number_); }

  task<> on(letter<void> m) {
    alive frame;
    m.begin();
    co_await sleep_for(in_->here.below(5) * 1ms);
  }
  void on(crash) { throw planned_crash{}; }

private:
  state* in_;
  const std::size_t number_;
  alive counted_;
};

task<> send_many(state& in, std::vector<ref<child>> to, std::size_t who) {
  alive frame;
  std::size_t count = in.here.between(0, 20);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t receiver = in.here.below(to.size());
    std::size_t number = in.book.open(who, receiver);
    letter<void> m{in.book, number};
    sending wait{in.book, number};
    co_await to[receiver].send(take(m));
    wait.accept();
    if (in.here.percent(20)) co_await sleep_for(in.here.below(10) * 1ms);
  }
}

bool is_affected(const state& in, std::size_t each, std::size_t failed) {
  switch (in.strategy) {
    case restart_strategy::one_for_all:
      return true;
    case restart_strategy::rest_for_one:
      return each >= failed;
    default:
      return each == failed;
  }
}

// Everybody has what has come to him, and those who had to begin anew have done it once.
void check_group(state& in, const std::vector<std::size_t>& births, std::size_t failed) {
  for (std::size_t i = 0; i < in.children; ++i) {
    std::size_t expected = births[i] + (is_affected(in, i, failed) ? 1 : 0);
    in.here.check(in.births[i] == expected,
                  "child {} of {} has begun {} times in place of {} when child {} had failed", i,
                  in.children, in.births[i], expected, failed);
    in.here.check(in.book.waiting_at(i) == 0, "{} letters to child {} are left at rest",
                  in.book.waiting_at(i), i);
  }
}

task<> fail_once(state& in, const std::vector<ref<child>>& children, std::size_t round) {
  std::vector<join_handle<void>> writers;
  for (std::size_t i = 0; i < 2; ++i) {
    writers.push_back(spawn(send_many, std::ref(in), children, 2 * round + i));
  }
  co_await sleep_for(in.here.below(20) * 1ms);
  std::vector<std::size_t> births = in.births;
  std::size_t failed = in.here.below(in.children);
  if (in.here.percent(50)) {
    children[failed].kill();
  } else {
    co_await children[failed].send(crash{});
  }
  for (auto& each : writers) co_await each;
  co_await sleep_for(1min);
  check_group(in, births, failed);
}

// A restart is no end.
task<> wait_for_end(state& in, ref<child> whom) {
  alive frame;
  co_await whom.ended();
  in.here.check(in.is_over, "a restart of a child is told as its end");
}

// A supervisor goes on for as long as its limit says.
task<> exceed_limit(state& in) {
  auto most = static_cast<std::uint32_t>(in.here.between(1, 4));
  auto root = spawn<supervisor>(supervision{.max_restarts = most, .within = 10s});
  auto only = spawn_child<child>(root, &in, std::size_t{0});
  std::size_t times = in.here.between(1, 3);
  for (std::size_t i = 0; i < times; ++i) {
    for (std::uint32_t failures = 0; failures < most; ++failures) {
      co_await only.send(crash{});
      co_await sleep_for(1s);
    }
    in.here.check(!root.has_ended(), "a supervisor ends after {} restarts of {}", most, most);
    if (i + 1 < times) co_await sleep_for(11s);
  }
  co_await only.send(crash{});
  co_await sleep_for(1s);
  in.here.check(root.has_ended(), "a supervisor goes on after {} failures, and allows {}", most + 1,
                most);
}

task<> program(state& in) {
  alive frame;
  auto root = spawn<supervisor>(
      supervision{.strategy = in.strategy, .max_restarts = supervision::unlimited});
  std::vector<ref<child>> children;
  for (std::size_t i = 0; i < in.children; ++i) {
    child_options how;
    if (in.here.percent(50)) how.kind = child_kind::transient;
    how.actor.capacity = static_cast<std::uint16_t>(in.here.between(1, 20));
    children.push_back(spawn_child<child>(root, how, &in, i));
  }
  std::vector<join_handle<void>> waiting;
  for (const auto& each : children) waiting.push_back(spawn(wait_for_end, std::ref(in), each));
  co_await sleep_for(1ms);
  for (std::size_t i = 0; i < in.failures; ++i) co_await fail_once(in, children, i);
  in.ends.clear();
  in.is_over = true;
  root.stop();
  co_await root.ended();
  for (auto& each : waiting) co_await each;
  for (std::size_t i = 0; i < in.ends.size(); ++i) {
    in.here.check(in.ends[i] == in.children - 1 - i, "child {} of {} is number {} to end",
                  in.ends[i], in.children, i);
  }
  co_await exceed_limit(in);
}

}  // namespace

void play_groups(scene& here) {
  auto& in = here.keep<state>(here);
  sim::node& node = here.add_node();
  node.start([&in]() -> task<> { return program(in); });
  here.run(1h);
  here.end_world();
  in.book.settle();
  here.check(here.undelivered_letters() == 0, "{} letters are lost at a restart",
             here.undelivered_letters());
}

}  // namespace troupe::scenarios
