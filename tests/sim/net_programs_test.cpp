#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <troupe/io/framing.hpp>
#include <troupe/net/resolver.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/net/udp.hpp>
#include <troupe/net/unix.hpp>
#include <troupe/sched/sleep.hpp>
#include <troupe/sched/timeout.hpp>
#include <troupe/sim/world.hpp>
#include <troupe/task/scope.hpp>

namespace troupe {

using namespace std::chrono_literals;

namespace {

namespace codes = boost::system::errc;

constexpr std::uint16_t port = 7000;

task<> answer_lines(io::stream peer) {
  io::line_reader lines{peer};
  try {
    while (auto line = co_await lines.next_line()) {
      std::string answer = "echo " + *line + "\n";
      co_await peer.write_all(answer);
    }
  } catch (const system_error&) {
    // Its own connection alone.
  }
}

task<> echo_server() {
  io::listener door = net::tcp_listen("0.0.0.0", port);
  for (;;) spawn(answer_lines, co_await door.accept());
}

task<std::string> ask_once(std::string question) {
  io::stream server = co_await net::tcp_connect("server", port);
  co_await server.write_all(question + "\n");
  io::line_reader answers{server};
  auto answer = co_await answers.next_line();
  co_return answer.value_or("(the end)");
}

task<int> client_program(int count) {
  int right = 0;
  for (int i = 0; i < count; ++i) {
    std::string answer = co_await ask_once(std::to_string(i));
    if (answer == fmt::format("echo {}", i)) ++right;
  }
  co_return right;
}

// Asks until there is an answer, over a new connection each time.
task<int> stubborn_client(int count) {
  int attempts = 0;
  for (int i = 0; i < count; ++i) {
    std::string wanted = fmt::format("echo {}", i);
    for (std::string answer; answer != wanted; ++attempts) {
      try {
        answer = co_await timeout(1s, ask_once(std::to_string(i)));
      } catch (const system_error&) {
        answer.clear();
      }
      if (answer != wanted) co_await sleep_for(100ms);
    }
  }
  co_return attempts;
}

struct echo_world {
  explicit echo_world(std::uint64_t seed) : world{seed} { server.start(echo_server); }

  sim::world world;
  sim::node& server = world.add_node("server");
  sim::node& client = world.add_node("client");
};

BOOST_AUTO_TEST_SUITE(net_programs_)

BOOST_AUTO_TEST_CASE(a_client_finds_its_server_by_name_and_gets_every_answer) {
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    auto hash_of = [](std::uint64_t of) {
      echo_world in{of};
      BOOST_TEST(in.client.block_on(client_program, 20) == 20);
      return in.world.trace_hash();
    };
    std::uint64_t first = hash_of(seed);
    BOOST_TEST(hash_of(seed) == first);
    hashes.insert(first);
  }
  BOOST_TEST(hashes.size() == 10U);
}

BOOST_AUTO_TEST_CASE(many_clients_at_once_get_their_own_answers) {
  echo_world in{3};
  in.world.network().set_delay(0ns, 20ms);
  in.world.network().set_loss(0.1);
  std::vector<sim::node*> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(&in.world.add_node(fmt::format("client {}", i)));
    clients.back()->start(client_program, 10);
  }
  BOOST_TEST(in.world.run_until(
      [&] {
        return std::all_of(clients.begin(), clients.end(),
                           [](sim::node* each) { return each->exit_code().has_value(); });
      },
      10min));
  for (sim::node* each : clients) BOOST_TEST(each->exit_code().value() == 10);
}

BOOST_AUTO_TEST_CASE(a_server_that_is_killed_and_started_again_costs_attempts_and_no_answer) {
  int attempts = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    echo_world in{seed};
    in.client.start(stubborn_client, 30);
    for (int i = 0; i < 5; ++i) {
      in.world.after(duration{i * 20ms}, [&] { in.server.kill(); });
      in.world.after(duration{i * 20ms + 10ms}, [&] { in.server.restart(); });
    }
    BOOST_TEST(in.world.run_until([&] { return in.client.exit_code().has_value(); }, 10min));
    attempts += in.client.exit_code().value_or(0);
  }
  BOOST_TEST(attempts > 20 * 30);
}

BOOST_AUTO_TEST_CASE(a_power_cut_is_noticed_by_time_limits_alone) {
  echo_world in{1};
  in.client.start(stubborn_client, 30);
  in.world.advance(10ms);
  in.server.cut_power();
  in.world.advance(30s);
  BOOST_TEST(!in.client.exit_code().has_value());
  in.server.restart();
  BOOST_TEST(in.world.run_until([&] { return in.client.exit_code().has_value(); }, 10min));
}

BOOST_AUTO_TEST_CASE(a_partition_holds_requests_up_until_it_heals) {
  echo_world in{1};
  in.world.network().partition(in.server, in.client);
  auto asked = in.client.spawn(ask_once, "are you there?");
  in.world.advance(20s);
  BOOST_TEST(!asked.done());
  in.world.network().heal(in.server, in.client);
  in.world.advance(1s);
  BOOST_TEST(asked.done());
}

BOOST_AUTO_TEST_CASE(connections_that_are_reset_at_random_fail_alone) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    echo_world in{seed};
    in.client.start(stubborn_client, 50);
    for (int i = 0; i < 30; ++i) {
      in.world.after(duration{i * 3ms}, [&] { in.world.network().reset_any(); });
    }
    BOOST_TEST(in.world.run_until([&] { return in.client.exit_code().has_value(); }, 10min));
  }
}

BOOST_AUTO_TEST_CASE(a_name_that_nobody_has_and_names_that_are_down_are_errors) {
  echo_world in{1};
  auto error_of = [&](std::string host) {
    return in.client.block_on(
        [](std::string of) -> task<boost::system::error_code> {
          try {
            co_await net::tcp_connect(of, port);
          } catch (const system_error& error) {
            co_return error.code();
          }
          co_return boost::system::error_code{};
        },
        host);
  };
  BOOST_TEST((error_of("nobody") == io::name_errc::not_found));
  BOOST_TEST(!error_of("server").failed());
  BOOST_TEST(!error_of("10.0.0.1").failed());
  in.world.network().set_names_down(true);
  BOOST_TEST((error_of("server") == io::name_errc::try_again));
  BOOST_TEST((error_of("127.0.0.1") == codes::connection_refused));
}

class two_addresses final : public io::resolver {
public:
  task<std::vector<io::endpoint>> resolve(std::string, std::string) override {
    std::vector<io::endpoint> both;
    both.push_back(io::endpoint::parse("10.0.0.1", port).value());
    both.push_back(io::endpoint::parse("10.0.0.3", port).value());
    co_return both;
  }
};

BOOST_AUTO_TEST_CASE(an_address_that_does_not_answer_gives_way_to_the_next_after_250_ms) {
  echo_world in{1};
  sim::node& other = in.world.add_node("other");
  other.start(echo_server);
  in.world.network().partition(in.client, in.server);
  in.world.advance(1ms);
  auto connect = []() -> task<std::string> {
    two_addresses names;
    net::tcp_connect_options options;
    options.names = &names;
    io::stream server = co_await net::tcp_connect("server", port, options);
    co_return server.peer_address();
  };
  duration start = in.world.now();
  BOOST_TEST(in.client.block_on(connect) == "10.0.0.3:7000");
  BOOST_TEST((in.world.now() - start >= 250ms));
  BOOST_TEST((in.world.now() - start < 253ms));
}

BOOST_AUTO_TEST_CASE(a_program_that_is_asked_to_stop_accepts_nobody_and_ends) {
  echo_world in{1};
  in.world.advance(10ms);
  in.server.terminate();
  BOOST_TEST(in.world.run_until([&] { return in.server.exit_code().has_value(); }, 10s));
  BOOST_TEST(in.server.exit_code().value() == 0);
}

BOOST_AUTO_TEST_CASE(programs_of_one_machine_share_its_ports_and_paths) {
  echo_world in{1};
  sim::node& beside = in.world.add_node("beside", in.server.host());
  in.world.advance(1ms);
  auto local = []() -> task<std::string> {
    io::stream server = co_await net::tcp_connect("127.0.0.1", port);
    co_await server.write_all("x\n");
    io::line_reader answers{server};
    auto answer = co_await answers.next_line();
    co_return answer.value_or("(the end)");
  };
  BOOST_TEST(beside.block_on(local) == "echo x");
  BOOST_TEST(beside.address() == in.server.address());
  auto listen = []() -> task<boost::system::error_code> {
    try {
      (void)net::tcp_listen("127.0.0.1", port);
    } catch (const system_error& error) {
      co_return error.code();
    }
    co_return boost::system::error_code{};
  };
  BOOST_TEST((beside.block_on(listen) == codes::address_in_use));
  BOOST_TEST(!in.client.block_on(listen).failed());
}

BOOST_AUTO_TEST_CASE(a_full_queue_at_a_path_is_tried_again_until_there_is_room) {
  sim::world world{1};
  sim::node& here = world.add_node("here");
  auto program = []() -> task<std::string> {
    net::unix_listen_options options;
    options.backlog_count = 1;
    io::listener door = net::unix_listen("/run/door", options);
    io::stream first = co_await net::unix_connect("/run/door");
    auto second = spawn(net::unix_connect, "/run/door");
    co_await sleep_for(20ms);
    io::stream accepted = co_await door.accept();
    io::stream late = co_await second;
    io::stream other = co_await door.accept();
    co_await late.write_all("late");
    std::array<char, 4> got{};
    co_await other.read_exactly(got);
    co_return std::string{got.data(), got.size()};
  };
  BOOST_TEST(here.block_on(program) == "late");
}

BOOST_AUTO_TEST_CASE(datagrams_go_to_and_fro_and_pairs_lose_none) {
  sim::world world{1};
  sim::node& server = world.add_node("server");
  sim::node& client = world.add_node("client");
  server.start([]() -> task<> {
    io::datagram_socket socket = net::udp_bind("0.0.0.0", port);
    std::array<std::byte, 100> buffer{};
    for (;;) {
      io::datagram got = co_await socket.receive_from(buffer);
      co_await socket.send_to(std::span{buffer}.first(got.size_bytes), got.from);
    }
  });
  world.advance(1ms);
  auto program = []() -> task<int> {
    io::datagram_socket socket = co_await net::udp_connect("server", port);
    auto [near, far] = net::datagram_pair();
    std::array<char, 100> buffer{};
    int right = 0;
    for (int i = 0; i < 50; ++i) {
      std::string text = std::to_string(i);
      co_await socket.send(text);
      io::datagram got = co_await socket.receive_from(buffer);
      if (std::string_view{buffer.data(), got.size_bytes} == text) ++right;
      co_await near.send(text);
      got = co_await far.receive_from(buffer);
      if (std::string_view{buffer.data(), got.size_bytes} == text) ++right;
    }
    co_return right;
  };
  BOOST_TEST(client.block_on(program) == 100);
}

BOOST_AUTO_TEST_CASE(a_reader_that_is_slow_holds_its_writer_up) {
  echo_world in{1};
  sim::node& slow = in.world.add_node("slow");
  slow.start([]() -> task<> {
    io::listener door = net::tcp_listen("0.0.0.0", port);
    io::stream peer = co_await door.accept();
    std::array<char, 1000> buffer{};
    while (co_await peer.read_some(buffer)) co_await sleep_for(10ms);
  });
  auto write = []() -> task<duration> {
    io::stream peer = co_await net::tcp_connect("slow", port);
    time_point start = now();
    std::string much(500'000, 'x');
    co_await peer.write_all(much);
    co_return now() - start;
  };
  duration took = in.client.block_on(write);
  BOOST_TEST((took > 4s));
  BOOST_TEST((took < 5s));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace troupe
