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

sim::node& begin(sim::world& world) {
  sim::node& only = world.add_node("chat");
  world.network().set_delay(only, only, 1us, world.seed() % 2 == 0 ? 10us : 5ms);
  only.start(chat::run_demo);
  return only;
}

BOOST_FIXTURE_TEST_SUITE(chat_, quiet)

BOOST_AUTO_TEST_CASE(the_scripted_guests_hear_what_they_have_to_in_any_order_of_turns) {
  test::explore_program(
      "simulated.chat_/the_scripted_guests_hear_what_they_have_to_in_any_order_of_turns", 40,
      begin);
}

BOOST_AUTO_TEST_CASE(one_seed_gives_one_history) { test::require_one_history(begin); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace troupe
