#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

#include <troupe/runtime/run.hpp>
#include <troupe/sim/world.hpp>

#include "collected_failures.hpp"
#include "simulated/outcome.hpp"

// The sample itself, without its way in.
#define main main_of_coordinator
#include "../../samples/actors/coordinator.cpp"
#undef main

namespace {

using namespace std::chrono_literals;

std::size_t count_of(std::string_view what, std::string_view text) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++count;
  return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(coordinator_)

BOOST_AUTO_TEST_CASE(each_who_asks_gets_one_answer_whatever_becomes_of_the_connection) {
  troupe::test::collected_failures failures;  // The other end of the connection may break, too.
  troupe::sim::explore(
      "simulated.coordinator_/each_who_asks_gets_one_answer_whatever_becomes_of_the_connection",
      200, [](troupe::sim::world& world) {
        auto seed = static_cast<int>(world.seed());
        auto begin = [seed](troupe::sim::world& in) -> troupe::sim::node& {
          troupe::sim::node& only = in.add_node("only");
          only.start(main_task, seed % 7, seed % 2 == 0);
          for (int i = 0; i < seed % 3; ++i) {
            auto at = std::chrono::microseconds{in.random().below(500)};
            in.after(at, [&in] { (void)in.network().reset_any(); });
          }
          return only;
        };
        troupe::test::outcome seen = troupe::test::run_program(world, begin);
        troupe::test::require(seen.code == 0, "it ends well", seen);
        std::size_t answers =
            count_of("duration = ", seen.output) + count_of("\nerror = ", "\n" + seen.output);
        troupe::test::require(answers == 4, "there are four answers", seen);
      });
}

BOOST_AUTO_TEST_SUITE_END()
