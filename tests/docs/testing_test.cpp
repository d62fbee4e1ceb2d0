// The snippets of docs/testing.md, in its order.

#include <chrono>
#include <string>
#include <utility>

#include <boost/test/unit_test.hpp>

#include <troupe/actor/actor.hpp>
#include <troupe/io/framing.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/runtime/run.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sim/chaos.hpp>
#include <troupe/sim/probe.hpp>
#include <troupe/sim/replay.hpp>

#include "page_snippets.hpp"

using namespace std::chrono_literals;
namespace sim = troupe::sim;
using troupe::task;

namespace {

struct touch {};
struct over {};
struct expired {};
using owner_ref = troupe::ref<troupe::protocol<expired>>;

// Tells its owner when nobody has touched it for 30 seconds.
class session : public troupe::actor {
public:
  explicit session(owner_ref owner) : owner_{std::move(owner)} {}
  void on_start() { on(touch{}); }
  void on(touch) {
    limit_.cancel();
    limit_ = self(this).send_after(30s, over{});
  }
  void on(over) { (void)owner_.try_send(expired{}); }

private:
  owner_ref owner_;
  troupe::actor_timer limit_;
};

task<troupe::ref<session>> make_session(owner_ref owner) {
  co_return troupe::spawn<session>(owner);
}

// Doubles numbers, one on a line.
task<> double_numbers(troupe::io::stream peer) {
  troupe::io::line_reader lines{peer};
  while (auto line = co_await lines.next_line()) {
    co_await peer.write_all(std::to_string(2 * std::stoi(*line)) + "\n");
  }
}

task<> serve() {
  troupe::io::listener listener = troupe::net::tcp_listen("0.0.0.0", 7000);
  for (;;) {
    troupe::io::stream peer = co_await listener.accept();
    troupe::spawn(double_numbers, std::move(peer));
  }
}

task<int> ask_once(int number) {
  troupe::io::stream server = co_await troupe::net::tcp_connect("server", 7000);
  co_await server.write_all(std::to_string(number) + "\n");
  troupe::io::line_reader lines{server};
  auto line = co_await lines.next_line();
  if (!line) throw troupe::system_error{troupe::errc::end_of_stream};
  co_return std::stoi(*line);
}

task<int> ask_server(int number) {
  for (;;) {
    try {
      co_return co_await troupe::timeout(1s, ask_once(number));
    } catch (const troupe::system_error&) {
      // Lost, refused or too late: once more.
    }
    co_await troupe::sleep_for(100ms);
  }
}

int sleep_for_a_day() {
  using namespace troupe;
  pal::virtual_clock clock;
  runtime_config config;
  config.workers = 1;
  config.clock = &clock;
  int code = run(config, []() -> task<> { co_await sleep_for(24h); });
  return code;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(testing_page_)

BOOST_AUTO_TEST_CASE(a_session_that_nobody_touches_expires) {
  sim::world world{1};
  sim::node& node = world.add_node("server");
  sim::probe<expired> owner{world, node};
  auto one = node.block_on(make_session, owner.ref());

  world.advance(29s);
  sim::inject(node, one, touch{});  // Its handler runs, and nothing else of this actor.
  owner.expect_nothing(29s);
  (void)owner.expect<expired>(2s);
}

BOOST_AUTO_TEST_CASE(every_question_is_answered) {
  sim::for_each_seed("docs.testing_page_/every_question_is_answered", 100, [](sim::world& world) {
    sim::node& server = world.add_node("server");
    sim::node& client = world.add_node("client");
    server.start(serve);

    sim::chaos faults{world};
    faults.may("the server is killed", [&] {
      server.kill();
      world.after(2s, [&] {
        if (!server.is_up()) server.restart();
      });
    });
    faults.may("the wire is cut", [&] {
      world.network().partition(server, client);
      world.after(3s, [&] { world.network().heal(server, client); });
    });
    faults.may("connections break", [&] { world.network().reset(server, client); });
    faults.draw(8, 20s);

    int right = 0;
    client.spawn([&]() -> task<> {
      for (int i = 0; i < 50; ++i) {
        int answer = co_await ask_server(i);
        if (answer == 2 * i) ++right;
        co_await troupe::sleep_for(400ms);
      }
    });
    world.expect("every question is answered", [&] { return right == 50; }, 5min);
  });
}

BOOST_AUTO_TEST_CASE(a_day_takes_no_time_under_a_virtual_clock) {
  BOOST_TEST(sleep_for_a_day() == 0);
}

BOOST_AUTO_TEST_CASE(each_snippet_of_the_page_is_compiled_here) {
  BOOST_TEST(troupe::test::check_snippets({"docs/testing.md", "tests/docs/testing_test.cpp"}) == 5);
}

BOOST_AUTO_TEST_SUITE_END()
