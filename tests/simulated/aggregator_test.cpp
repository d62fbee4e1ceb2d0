#include <boost/test/unit_test.hpp>

#include <charconv>
#include <chrono>
#include <string>

#include <troupe/runtime/run.hpp>
#include <troupe/sim/world.hpp>

#include "simulated/outcome.hpp"

// The sample itself, without its way in.
#define main main_of_aggregator
#include "../../samples/actors/aggregator.cpp"
#undef main

namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t port = 9000;

// What peers know of the bytes that they have sent whole.
struct ledger {
  std::uint64_t counted = 0;  // The server has read to their end, and ended too.
  std::uint64_t unsure = 0;   // The connection broke.
};

troupe::task<> send_lengths(ledger& into, std::uint64_t seed, int count) {
  troupe::pal::random numbers{seed};
  for (int i = 0; i < count; ++i) {
    std::string bytes(1 + numbers.below(200'000), 'x');
    try {
      troupe::io::stream server = co_await troupe::net::tcp_connect("127.0.0.1", port);
      co_await server.write_all(bytes);
      co_await server.shutdown();
      co_await server.discard_to_end();
      into.counted += bytes.size();
    } catch (const troupe::system_error&) {
      into.unsure += bytes.size();
    }
  }
}

std::uint64_t sum_in(std::string_view output) {
  constexpr std::string_view label = "bytes read = ";
  std::uint64_t sum = 0;
  for (auto at = output.find(label); at != output.npos; at = output.find(label, at + 1)) {
    std::uint64_t found = 0;
    const char* first = output.data() + at + label.size();
    BOOST_REQUIRE((std::from_chars(first, output.data() + output.size(), found).ec == std::errc{}));
    sum += found;
  }
  return sum;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(aggregator_)

BOOST_AUTO_TEST_CASE(what_was_read_to_its_end_is_counted_once_and_nothing_else_is) {
  std::uint64_t all_counted = 0, all_unsure = 0;
  troupe::sim::explore(
      "simulated.aggregator_/what_was_read_to_its_end_is_counted_once_and_nothing_else_is", 40,
      [&](troupe::sim::world& world) {
        ledger known;
        auto begin = [&known](troupe::sim::world& in) -> troupe::sim::node& {
          troupe::sim::node& server = in.add_node("server");
          troupe::sim::node& peers = in.add_node("peers", server.host());
          server.start(main_task, port, troupe::duration{20ms});
          in.after(1ms, [&] {
            for (std::uint64_t i = 0; i < 4; ++i) peers.spawn(send_lengths, std::ref(known), i, 10);
          });
          for (int i = 0; i < 10; ++i) {
            in.after(troupe::duration{i * 2ms}, [&in] { (void)in.network().reset_any(); });
          }
          in.after(30s, [&server] { server.terminate(); });
          return server;
        };
        troupe::test::outcome seen = troupe::test::run_program(world, begin);
        troupe::test::require(seen.code == 0, "it ends well", seen);
        std::uint64_t sum = sum_in(seen.output);
        bool is_right = known.counted <= sum && sum <= known.counted + known.unsure;
        troupe::test::require(is_right, "the sum is that of the connections", seen);
        all_counted += known.counted;
        all_unsure += known.unsure;
      });
  BOOST_TEST(all_counted > 0U);
  BOOST_TEST(all_unsure > 0U);
}

BOOST_AUTO_TEST_SUITE_END()
