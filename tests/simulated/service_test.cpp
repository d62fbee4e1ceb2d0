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
// `disturb(world, node)` plans what goes wrong.
template <class Disturb>
tests::outcome run_service(std::uint64_t seed, const service::options& wanted, Disturb disturb) {
  return tests::run_in_world(seed, [&](sim::world& world) -> sim::node& {
    sim::node& only = world.add_node("machine");
    world.network().set_delay(only, only, 100us, 5ms);
    only.start(service::run_main_job, wanted);
    disturb(world, only);
    return only;
  });
}
tests::outcome run_service(std::uint64_t seed, const service::options& wanted) {
  return run_service(seed, wanted, [](sim::world&, sim::node&) {});
}

BOOST_AUTO_TEST_SUITE(service_)

BOOST_AUTO_TEST_CASE(its_books_balance_in_any_order_of_turns) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    tests::outcome seen = run_service(seed, short_job(seed));
    BOOST_TEST((seen.code == 0), "seed " << seed << '\n' << seen.output);
  }
}

BOOST_AUTO_TEST_CASE(its_books_balance_while_parts_of_it_are_killed) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    service::options wanted = short_job(seed);
    wanted.chaos = true;
    wanted.kills_per_second = 20;
    tests::outcome seen = run_service(seed, wanted);
    BOOST_TEST((seen.code == 0), "seed " << seed << '\n' << seen.output);
  }
}

BOOST_AUTO_TEST_CASE(its_books_balance_while_connections_are_reset_and_wires_are_slow) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    service::options wanted = short_job(seed);
    wanted.chaos = true;  // Without it each failure would be a wrong book.
    tests::outcome seen = run_service(seed, wanted, [](sim::world& world, sim::node& at) {
      for (int i = 1; i < 20; ++i) {
        world.after(duration{i * 100ms}, [&world] { (void)world.network().reset_any(); });
      }
      world.after(500ms, [&] { world.network().set_delay(at, at, 1ms, 300ms); });
      world.after(1s, [&] { world.network().set_delay(at, at, 100us, 5ms); });
    });
    BOOST_TEST((seen.code == 0), "seed " << seed << '\n' << seen.output);
  }
}

BOOST_AUTO_TEST_CASE(books_that_are_wrong_by_one_byte_are_found_wrong) {
  service::options wanted = short_job(1);
  wanted.lost_bytes = 1;
  BOOST_TEST((run_service(1, wanted).code == 1));
}

BOOST_AUTO_TEST_CASE(a_stop_in_the_middle_of_the_load_leaves_balanced_books) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    tests::outcome seen =
        run_service(seed, short_job(seed), [seed](sim::world& world, sim::node& at) {
          world.after(duration{seed * 100ms}, [&at] { at.terminate(); });
        });
    BOOST_TEST((seen.code == 0), "seed " << seed << '\n' << seen.output);
  }
}

BOOST_AUTO_TEST_CASE(one_seed_gives_one_history) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    service::options wanted = short_job(seed);
    wanted.chaos = true;
    tests::outcome first = run_service(seed, wanted), second = run_service(seed, wanted);
    BOOST_TEST(first.output == second.output);
    BOOST_TEST(first.hash == second.hash);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace troupe
