#include <boost/test/unit_test.hpp>

#include <chrono>

#include <samples/chat/demo.hpp>
#include <troupe/actor/undelivered.hpp>

#include "simulated/outcome.hpp"

namespace troupe {
namespace {

using namespace std::chrono_literals;

// As in the sample: a guest that was too slow does not hear what its mailbox held.
struct quiet {
  quiet() : before{set_undelivered_sink([](const undelivered&) {})} {}
  ~quiet() { set_undelivered_sink(before); }
  undelivered_sink before;
};

tests::outcome run_chat(std::uint64_t seed, duration slowest) {
  return tests::run_in_world(seed, [slowest](sim::world& world) -> sim::node& {
    sim::node& only = world.add_node("chat");
    world.network().set_delay(only, only, 1us, slowest);
    only.start(chat::run_demo);
    return only;
  });
}

BOOST_AUTO_TEST_SUITE(chat_)

BOOST_AUTO_TEST_CASE(the_scripted_guests_hear_what_they_have_to_in_any_order_of_turns) {
  quiet sink;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    tests::outcome seen = run_chat(seed, seed % 2 == 0 ? 10us : 5ms);
    BOOST_TEST((seen.code == 0), "seed " << seed << '\n' << seen.output);
  }
}

BOOST_AUTO_TEST_CASE(one_seed_gives_one_history) {
  quiet sink;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    tests::outcome first = run_chat(seed, 1ms), second = run_chat(seed, 1ms);
    BOOST_TEST(first.output == second.output);
    BOOST_TEST(first.hash == second.hash);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace troupe
