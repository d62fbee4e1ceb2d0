#include <boost/test/unit_test.hpp>

#include <set>
#include <string>

#include <troupe/runtime/run.hpp>
#include <troupe/sim/world.hpp>

#include "collected_failures.hpp"
#include "simulated/outcome.hpp"

// The sample itself, without its way in.
#define main main_of_bank
#include "../../samples/bank.cpp"
#undef main

namespace {

troupe::sim::node& begin(troupe::sim::world& world) {
  troupe::sim::node& only = world.add_node("bank");
  only.start(main_task, std::uint64_t{100});
  return only;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bank_)

BOOST_AUTO_TEST_CASE(no_order_of_turns_loses_money) {
  std::set<std::string> outputs;
  troupe::sim::explore(
      "simulated.bank_/no_order_of_turns_loses_money", 100, [&](troupe::sim::world& world) {
        troupe::test::outcome seen = troupe::test::run_program(world, begin);
        troupe::test::require(seen.code == 0, "it ends well", seen);
        bool was_asked_again = seen.output.find("asked again") != std::string::npos;
        troupe::test::require(was_asked_again, "what the crash has hit is asked again", seen);
        outputs.insert(seen.output);
      });
  BOOST_TEST(outputs.size() > 10U);  // Who is served when the crash comes is the seed's choice.
}

// The head office may crash too, or have had enough of a branch: then the program fails, as it has
// to.
BOOST_AUTO_TEST_CASE(crashes_at_any_moment_lose_no_money) {
  troupe::test::collected_failures failures;
  troupe::sim::world_config config;
  config.max_turn_time = std::chrono::microseconds{10};
  auto crash = [](troupe::sim::world& world) -> troupe::sim::node& {
    troupe::sim::node& only = begin(world);
    for (int i = 0; i < 3; ++i) {
      auto at = std::chrono::microseconds{world.random().below(3000)};
      world.after(at, [&world] { (void)world.crash_one_actor(); });
    }
    return only;
  };
  troupe::sim::explore(
      "simulated.bank_/crashes_at_any_moment_lose_no_money", 100,
      [&](troupe::sim::world& world) {
        troupe::test::outcome seen = troupe::test::run_program(world, crash);
        troupe::test::require(seen.code.has_value(), "it ends", seen);
        bool is_wrong = seen.output.find("WRONG") != std::string::npos;
        troupe::test::require(!is_wrong, "no money is lost", seen);
      },
      config);
}

BOOST_AUTO_TEST_CASE(one_seed_gives_one_history) { troupe::test::require_one_history(begin); }

BOOST_AUTO_TEST_SUITE_END()
