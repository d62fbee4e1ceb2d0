#include <boost/test/unit_test.hpp>

#include <charconv>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <samples/chat/demo.hpp>
#include <samples/chat/guest.hpp>
#include <troupe/actor/undelivered.hpp>
#include <troupe/io/framing.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>

#include "simulated/outcome.hpp"

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t port = 7000;

// As in the sample: a guest that was too slow does not hear what its mailbox held.
struct quiet {
  quiet() : before{set_undelivered_sink([](const undelivered&) {})} {}
  ~quiet() { set_undelivered_sink(before); }
  undelivered_sink before;
};

sim::node& begin(sim::world& world) {
  sim::node& only = world.add_node("chat");
  world.network().set_delay(only, only, 1us, world.seed() % 2 == 0 ? 10us : 5ms);
  only.start(chat::run_demo);
  return only;
}

task<> serve() {
  io::listener source = net::tcp_listen("0.0.0.0", port);
  (void)chat::open(std::move(source), spawn<chat::hall>());
  co_return;
}

/// What one connection hears of each speaker: numbers, which have to follow on one another.
class ear {
public:
  explicit ear(std::vector<std::string>& wrong) : wrong_{wrong} {}

  void hear(const std::string& line) {
    std::size_t colon = line.find(": ");
    if (line.starts_with('*') || colon == line.npos) return;
    std::string speaker = line.substr(0, colon);
    int number = 0;
    std::from_chars(line.data() + colon + 2, line.data() + line.size(), number);
    auto [known, is_first] = last_.try_emplace(speaker, number);
    bool follows = is_first || number == known->second + 1;
    if (!follows) wrong_.push_back(fmt::format("'{}' after {}", line, known->second));
    known->second = number;
  }

private:
  std::vector<std::string>& wrong_;
  std::map<std::string, int> last_;
};

// Says numbers, each when the one before has been heard, and leaves.
task<> talk(std::string name, ear of) {
  io::stream server = co_await net::tcp_connect("server", port);
  io::line_reader lines{server};
  co_await server.write_all(fmt::format("/nick {}\n/join tea\n", name));
  for (int i = 1; i <= 10; ++i) {
    std::string said = fmt::format("{}\n", i), wanted = fmt::format("{}: {}", name, i);
    co_await server.write_all(said);
    for (std::string heard; heard != wanted;) {
      auto line = co_await timeout(2s, lines.next_line());
      if (!line) co_return;
      heard = *line;
      of.hear(heard);
    }
  }
  co_await server.write_all("/quit\n");
  co_await timeout(2s, server.discard_to_end());
}

task<int> visit_again_and_again(std::string name, std::vector<std::string>& wrong, int& whole) {
  for (int i = 0; i < 10; ++i) {
    try {
      co_await timeout(20s, talk(fmt::format("{}-{}", name, i), ear{wrong}));
      ++whole;
    } catch (const system_error&) {
      // The next visit has a name, and a connection, of its own.
    }
    co_await sleep_for(1ms);
  }
  co_return 0;
}

void plan_faults(sim::world& world, sim::node& server, const std::vector<sim::node*>& others) {
  auto when = [&world] { return duration{world.random().below(100) * 1ms}; };
  for (int i = 0; i < 5; ++i) {
    world.after(when(), [&world] { (void)world.network().reset_any(); });
  }
  sim::node& parted = *others[world.random().below(others.size())];
  world.after(when(), [&] { world.network().partition(server, parted); });
  world.after(when() + 3s, [&world] { world.network().heal_all(); });
  world.after(when(), [&server] {
    server.kill();
    server.restart();
  });
}

BOOST_FIXTURE_TEST_SUITE(chat_, quiet)

BOOST_AUTO_TEST_CASE(the_scripted_guests_hear_what_they_have_to_in_any_order_of_turns) {
  test::explore_program(
      "simulated.chat_/the_scripted_guests_hear_what_they_have_to_in_any_order_of_turns", 40,
      begin);
}

BOOST_AUTO_TEST_CASE(what_somebody_says_is_heard_in_order_and_without_gaps_whatever_breaks) {
  int whole = 0, broken = 0;
  sim::for_each_seed(
      "simulated.chat_/what_somebody_says_is_heard_in_order_and_without_gaps_whatever_breaks", 30,
      [&](sim::world& world) {
        std::vector<std::string> wrong;
        int whole_now = 0;
        sim::node& server = world.add_node("server");
        server.start(serve);
        std::vector<sim::node*> others;
        for (const char* name : {"ann", "bob", "carl"}) {
          others.push_back(&world.add_node(name));
          others.back()->start(visit_again_and_again, std::string{name}, std::ref(wrong),
                               std::ref(whole_now));
        }
        plan_faults(world, server, others);
        world.invariant("lines are heard in order", [&] { return wrong.empty(); });
        auto all_have_left = [&] {
          return std::all_of(others.begin(), others.end(),
                             [](sim::node* each) { return each->exit_code() == 0; });
        };
        BOOST_REQUIRE(world.run_until(all_have_left, 30min));
        server.terminate();
        BOOST_REQUIRE(world.run_until([&] { return server.exit_code() == 0; }, 1min));
        whole += whole_now;
        broken += 30 - whole_now;
      });
  BOOST_TEST(whole > 100);
  BOOST_TEST(broken > 100);
}

BOOST_AUTO_TEST_CASE(one_seed_gives_one_history) { test::require_one_history(begin); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace troupe
