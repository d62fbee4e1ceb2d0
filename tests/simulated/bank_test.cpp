#include <boost/test/unit_test.hpp>

#include <set>
#include <string>

#include <troupe/runtime/run.hpp>
#include <troupe/sim/world.hpp>

#include "simulated/outcome.hpp"

// The sample itself, without its way in.
#define main main_of_bank
#include "../../samples/bank.cpp"
#undef main

namespace {

troupe::tests::outcome run_bank(std::uint64_t seed) {
  return troupe::tests::run_in_world(seed, [](troupe::sim::world& world) -> troupe::sim::node& {
    troupe::sim::node& only = world.add_node("bank");
    only.start(main_task, std::uint64_t{100});
    return only;
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bank_)

BOOST_AUTO_TEST_CASE(no_order_of_turns_loses_money) {
  std::set<std::string> outputs;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    troupe::tests::outcome seen = run_bank(seed);
    BOOST_TEST((seen.code == 0), "seed " << seed << '\n' << seen.output);
    BOOST_TEST(seen.output.find("asked again") != std::string::npos);
    outputs.insert(seen.output);
  }
  BOOST_TEST(outputs.size() > 10U);  // Who is served when the crash comes is the seed's choice.
}

BOOST_AUTO_TEST_CASE(one_seed_gives_one_history) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    troupe::tests::outcome first = run_bank(seed), second = run_bank(seed);
    BOOST_TEST(first.output == second.output);
    BOOST_TEST(first.hash == second.hash);
  }
}

BOOST_AUTO_TEST_SUITE_END()
