#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

#include <troupe/runtime/run.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sim/world.hpp>

#include "simulated/outcome.hpp"

// The sample itself, without its way in.
#define main main_of_listener
#include "../../samples/actors/listener.cpp"
#undef main

namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t port = 9000;

// Visits one after the other. Returns: 0 when each heard the whole text, or a part and an error.
troupe::task<int> visit(int count) {
  for (int i = 0; i < count; ++i) {
    std::string heard;
    bool is_whole = true;
    try {
      troupe::io::stream server = co_await troupe::net::tcp_connect("127.0.0.1", port);
      std::array<char, 4> part{};
      while (std::size_t got = co_await server.read_some(part)) heard.append(part.data(), got);
    } catch (const troupe::system_error&) {
      is_whole = false;
    }
    bool is_right =
        is_whole ? heard == "hello world" : std::string{"hello world"}.starts_with(heard);
    if (!is_right) co_return 1;
    co_await troupe::sleep_for(1ms);
  }
  co_return 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listener_)

BOOST_AUTO_TEST_CASE(each_peer_hears_the_whole_text_or_that_its_connection_broke) {
  troupe::test::explore_program(
      "simulated.listener_/each_peer_hears_the_whole_text_or_that_its_connection_broke", 50,
      [](troupe::sim::world& world) -> troupe::sim::node& {
        troupe::sim::node& server = world.add_node("server");
        server.start(main_task, port);
        for (const char* name : {"first", "second", "third"}) {
          troupe::sim::node& peers = world.add_node(name, server.host());
          world.after(1ms, [&peers] { peers.start(visit, 20); });
          world.after(1s, [&peers] { BOOST_REQUIRE((peers.exit_code() == 0)); });
        }
        for (int i = 0; i < 20; ++i) {
          world.after(troupe::duration{i * 1ms}, [&world] { (void)world.network().reset_any(); });
        }
        world.after(1s, [&server] { server.terminate(); });
        return server;
      });
}

BOOST_AUTO_TEST_SUITE_END()
