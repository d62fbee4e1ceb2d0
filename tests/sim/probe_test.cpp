#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <troupe/actor/actor.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sim/probe.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

struct pong {
  int number;
};
struct bang {};
struct ping {
  ref<protocol<pong, bang, down>> from;
  int number;
};
struct tripled {
  int number;
};

class player : public actor {
public:
  void on(const ping& m) { self(this).send_after(10ms, ping_later{m.from, m.number}); }
  struct ping_later {
    ref<protocol<pong, bang, down>> from;
    int number;
  };
  void on(const ping_later& m) { (void)m.from.try_send(pong{m.number}); }
  int on(tripled m) { return 3 * m.number; }
};

struct note_later {
  duration delay;
};
struct note_after {
  duration delay;
};

// Writes its name when it handles something.
class noting : public actor {
public:
  struct due {};
  noting(char name, std::string& order) : name_{name}, order_{order} {}
  void on(note_later m) {
    order_ += name_;
    self(this).send_after(m.delay, due{});
  }
  void on(due) { order_ += name_; }
  task<> on(note_after m) {
    co_await sleep_for(m.delay);
    order_ += name_;
  }

private:
  char name_;
  std::string& order_;
};

struct on_one_node {
  sim::world world{11};
  sim::node& node = world.add_node("one");
  sim::probe<pong, bang, down> probe{world, node};

  ref<player> play() {
    return node.block_on([]() -> task<ref<player>> { co_return spawn<player>(); });
  }
};

bool is_violation(const sim::violation& seen, const char* name) { return seen.name() == name; }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(probe_, on_one_node)

BOOST_AUTO_TEST_CASE(gives_messages_in_their_order_when_they_come) {
  auto one = play();
  sim::inject(node, one, ping{probe.ref(), 1});
  sim::inject(node, one, ping{probe.ref(), 2});
  BOOST_TEST(probe.count() == 0u);
  BOOST_TEST(probe.expect<pong>().number == 1);
  BOOST_TEST(probe.expect<pong>().number == 2);
  BOOST_TEST((world.now() >= 10ms && world.now() < 11ms));
  probe.expect_nothing(1h);
}

// Goal:   in a world at rest a message that is injected is the next thing to happen, and the only.
// Method: another actor's timer is due in a nanosecond; each handler notes itself.
BOOST_AUTO_TEST_CASE(inject_into_a_world_at_rest_runs_that_handler_alone) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    sim::world still{seed};
    sim::node& only = still.add_node("only");
    std::string order;
    auto make = [&]() -> task<std::vector<ref<noting>>> {
      std::vector<ref<noting>> made;
      for (char name : {'a', 'b', 'c'}) made.push_back(spawn<noting>(name, std::ref(order)));
      co_return made;
    };
    auto all = only.block_on(make);
    sim::inject(only, all[0], note_later{1ns});
    still.advance(0s);
    order.clear();
    duration before = still.now();
    sim::inject(only, all[1], note_later{1ns});
    BOOST_TEST(order == "b");
    BOOST_TEST((still.now() == before));
    sim::inject(only, all[2], note_after{1ms});
    BOOST_TEST((order == "babc" || order == "bbac"));
    BOOST_TEST((still.now() >= before + 1ms));
  }
}

BOOST_AUTO_TEST_CASE(inject_returns_what_the_handler_does) {
  BOOST_TEST(sim::inject(node, play(), tripled{7}) == 21);
}

BOOST_AUTO_TEST_CASE(one_that_does_not_come_or_is_another_is_a_violation) {
  BOOST_CHECK_EXCEPTION(probe.expect<pong>(1s), sim::violation, [](const auto& seen) {
    return is_violation(seen, "a message comes within 1000000000 ns");
  });
  auto one = play();
  sim::inject(node, one, ping{probe.ref(), 1});
  BOOST_CHECK_EXCEPTION(probe.expect<bang>(), sim::violation, [](const auto& seen) {
    return is_violation(seen, "the message that comes is of the type");
  });
  BOOST_CHECK_EXCEPTION(probe.expect_nothing(1s), sim::violation,
                        [](const auto& seen) { return is_violation(seen, "no message comes"); });
}

BOOST_AUTO_TEST_CASE(is_told_of_the_end_of_what_it_monitors) {
  auto one = play();
  probe.monitor(one);
  one.stop();
  BOOST_TEST((probe.expect<down>().who == one.id()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
