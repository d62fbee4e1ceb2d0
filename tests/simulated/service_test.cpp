#include <boost/test/unit_test.hpp>

#include <chrono>

#include <samples/service/service.hpp>

#include "simulated/outcome.hpp"

namespace troupe {
namespace {

using namespace std::chrono_literals;

service::options short_job(std::uint64_t seed) {
  service::options wanted;
  wanted.run_for = 2s;
  wanted.client_count = 4;
  wanted.seed = seed;
  return wanted;
}

// The service and its load are one program: over the loopback of their machine they talk.
sim::node& begin(sim::world& world, const service::options& wanted) {
  sim::node& only = world.add_node("machine");
  world.network().set_delay(only, only, 100us, 5ms);
  only.start(service::run_main_job, wanted);
  return only;
}

BOOST_AUTO_TEST_SUITE(service_)

BOOST_AUTO_TEST_CASE(its_books_balance_in_any_order_of_turns) {
  test::explore_program(
      "simulated.service_/its_books_balance_in_any_order_of_turns", 20,
      [](sim::world& world) -> sim::node& { return begin(world, short_job(world.seed())); });
}

BOOST_AUTO_TEST_CASE(its_books_balance_while_parts_of_it_are_killed) {
  test::explore_program("simulated.service_/its_books_balance_while_parts_of_it_are_killed", 20,
                        [](sim::world& world) -> sim::node& {
                          service::options wanted = short_job(world.seed());
                          wanted.chaos = true;
                          wanted.kills_per_second = 20;
                          return begin(world, wanted);
                        });
}

BOOST_AUTO_TEST_CASE(its_books_balance_while_connections_are_reset_and_wires_are_slow) {
  test::explore_program(
      "simulated.service_/its_books_balance_while_connections_are_reset_and_wires_are_slow", 20,
      [](sim::world& world) -> sim::node& {
        service::options wanted = short_job(world.seed());
        wanted.chaos = true;  // Without it each failure would be a wrong book.
        sim::node& only = begin(world, wanted);
        for (int i = 1; i < 20; ++i) {
          world.after(duration{i * 100ms}, [&world] { (void)world.network().reset_any(); });
        }
        world.after(500ms, [&] { world.network().set_delay(only, only, 1ms, 300ms); });
        world.after(1s, [&] { world.network().set_delay(only, only, 100us, 5ms); });
        return only;
      });
}

BOOST_AUTO_TEST_CASE(books_that_are_wrong_by_one_byte_are_found_wrong) {
  sim::world world{1};
  test::outcome seen = test::run_program(world, [](sim::world& in) -> sim::node& {
    service::options wanted = short_job(1);
    wanted.lost_bytes = 1;
    return begin(in, wanted);
  });
  BOOST_TEST((seen.code == 1));
}

BOOST_AUTO_TEST_CASE(a_stop_in_the_middle_of_the_load_leaves_balanced_books) {
  test::explore_program("simulated.service_/a_stop_in_the_middle_of_the_load_leaves_balanced_books",
                        40, [](sim::world& world) -> sim::node& {
                          sim::node& only = begin(world, short_job(world.seed()));
                          world.after(duration{world.random().below(2500) * 1ms}, [&only] {
                            if (only.is_up()) only.terminate();
                          });
                          return only;
                        });
}

BOOST_AUTO_TEST_CASE(one_seed_gives_one_history) {
  test::require_one_history([](sim::world& world) -> sim::node& {
    service::options wanted = short_job(world.seed());
    wanted.chaos = true;
    return begin(world, wanted);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace troupe
