#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/net/detail/connect_race.hpp>
#include <troupe/net/resolver.hpp>
#include <troupe/net/tcp.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/spawn_blocking.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <net/connected.hpp>
#include <net/limited_fds.hpp>
#include <thrown_misuse.hpp>

namespace troupe::net {

using namespace std::chrono_literals;

namespace {

io::endpoint at(const std::string& host, std::uint16_t port) {
  return io::endpoint::parse(host, port).value();
}

// Knows one name, `many`; what it leads to is set by the test.
class scripted_names final : public io::resolver {
public:
  std::vector<io::endpoint> answers;
  int asked_count = 0;

  task<std::vector<io::endpoint>> resolve(std::string host, std::string) override {
    ++asked_count;
    if (host != "many") throw_error(make_error_code(io::name_errc::not_found));
    co_return answers;
  }
};

tcp_connect_options with(scripted_names& names) {
  tcp_connect_options options;
  options.names = &names;
  return options;
}

// A port that answers nobody: its queue is full, and later attempts are dropped.
class silent_port {
public:
  static task<silent_port> make() {
    tcp_listen_options none;
    none.backlog_count = 0;
    io::listener listener = tcp_listen("127.0.0.1", 0, none);
    io::stream first = co_await tcp_connect("127.0.0.1", listener.port());
    co_return silent_port{std::move(listener), std::move(first)};
  }
  [[nodiscard]] io::endpoint place() const { return at("127.0.0.1", listener_.port()); }

private:
  silent_port(io::listener listener, io::stream first)
      : listener_{std::move(listener)}, first_{std::move(first)} {}

  io::listener listener_;
  io::stream first_;
};

// A port that refuses: it was free a moment ago.
io::endpoint refusing_place() {
  io::listener gone = tcp_listen("127.0.0.1", 0);
  return at("127.0.0.1", gone.port());
}

// One worker whose clock only a test moves, since it waits for connections.
struct still_clock {
  pal::virtual_clock clock;
  runtime rt{config()};

  runtime_config config() {
    runtime_config one;
    one.workers = 1;
    one.clock = &clock;
    return one;
  }
};

// Gives the one worker's other tasks their turns, and the reactor its polls.
task<> let_others_run() {
  for (int i = 0; i < 1000; ++i) co_await yield();
}

// Holds the only thread of a pool while it lives. That thread may come to the lock later.
class busy_pool {
public:
  busy_pool() {
    held_->lock();
    (void)spawn_blocking([held = held_] { pal::lock wait{*held}; });
  }
  ~busy_pool() { held_->unlock(); }
  busy_pool(const busy_pool&) = delete;
  busy_pool& operator=(const busy_pool&) = delete;

private:
  std::shared_ptr<pal::mutex> held_ = std::make_shared<pal::mutex>();
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(resolver_, two_workers)

// Method: the pool's only thread is held, so that nothing that needs it would come back.
BOOST_AUTO_TEST_CASE(numeric_addresses_need_no_thread) {
  runtime_config config;
  config.max_blocking_threads = 1;
  config.workers = 1;
  runtime small{config};
  auto look_up = [&]() -> task<std::string> {
    busy_pool held;
    std::string all;
    std::vector<std::string> hosts{"127.0.0.1", "::1", "localhost"};
    for (const auto& host : hosts) {
      std::vector<io::endpoint> found = co_await resolve(host, 7000);
      BOOST_TEST(found.size() == 1u);
      all += found.front().text() + " ";
    }
    std::vector<io::endpoint> found = co_await resolve("127.0.0.1", "7001");
    co_return all + found.front().text();
  };
  BOOST_TEST(small.block_on(look_up) == "127.0.0.1:7000 [::1]:7000 127.0.0.1:7000 127.0.0.1:7001");
}

BOOST_AUTO_TEST_CASE(a_stop_lets_the_lookup_go_on_alone) {
  runtime_config config;
  config.max_blocking_threads = 1;
  config.workers = 1;
  runtime small{config};
  auto give_up = [&]() -> task<bool> {
    busy_pool held;
    auto looking = spawn([]() -> task<> { (void)co_await resolve("localhost", "http"); });
    co_await let_others_run();
    BOOST_TEST(!looking.done());
    co_await looking.cancel();
    co_return true;
  };
  BOOST_TEST(small.block_on(give_up));
}

BOOST_AUTO_TEST_CASE(a_name_and_a_service_are_looked_up) {
  auto look_up = []() -> task<bool> {
    std::vector<io::endpoint> found = co_await resolve("localhost", "http");
    bool all_right = !found.empty();
    for (const auto& each : found) {
      all_right &= each.port() == 80 && (each.host() == "127.0.0.1" || each.host() == "::1");
    }
    co_return all_right;
  };
  BOOST_TEST(rt.block_on(look_up));
}

BOOST_AUTO_TEST_CASE(many_lookups_at_once) {
  auto look_up = []() -> task<int> {
    std::vector<join_handle<int>> all;
    for (int i = 0; i < 50; ++i) {
      all.push_back(spawn([]() -> task<int> {
        std::vector<io::endpoint> found = co_await resolve("localhost", "http");
        co_return found.empty() ? 0 : 1;
      }));
    }
    int found = 0;
    for (auto& each : all) found += co_await each;
    co_return found;
  };
  BOOST_TEST(rt.block_on(look_up) == 50);
}

BOOST_AUTO_TEST_CASE(a_failure_names_host_and_service) {
  auto look_up = [](std::string host, std::string service) -> task<std::string> {
    try {
      (void)co_await resolve(host, service);
    } catch (const system_error& error) {
      co_return error.what();
    }
    co_return "no error";
  };
  // No name server is asked: a label of a name has at most 63 bytes.
  std::string no_name(70, 'x');
  std::string expected = "cannot resolve " + no_name + ":http: ";
  BOOST_TEST(rt.block_on(look_up, no_name, "http").substr(0, expected.size()) == expected);
  BOOST_TEST(rt.block_on(look_up, "localhost", "no-such-service")
                 .starts_with("cannot resolve localhost:no-such-service: no service of that name"));
  BOOST_TEST(rt.block_on(look_up, "", "80").starts_with("cannot resolve :80: Invalid argument"));
  BOOST_TEST(rt.block_on(look_up, "::x", "80").find("Invalid argument") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(families_take_turns_and_keep_their_order) {
  std::vector<io::endpoint> all{at("::1", 1), at("::2", 1), at("1.0.0.0", 1), at("::3", 1),
                                at("2.0.0.0", 1)};
  std::vector<io::endpoint> expected{at("::1", 1), at("1.0.0.0", 1), at("::2", 1), at("2.0.0.0", 1),
                                     at("::3", 1)};
  BOOST_TEST((detail::families_in_turn(all) == expected));
  BOOST_TEST(detail::families_in_turn({}).empty());
}

BOOST_AUTO_TEST_CASE(a_connection_to_a_name_takes_the_first_address_that_answers) {
  auto connect = []() -> task<std::string> {
    io::listener listener = tcp_listen("127.0.0.1", 0);
    scripted_names names;
    names.answers = {refusing_place(), refusing_place(), at("127.0.0.1", listener.port())};
    io::stream near = co_await tcp_connect("many", 80, with(names));
    co_return near.peer_address() == listener.local_address() ? "connected" : near.peer_address();
  };
  BOOST_TEST(rt.block_on(connect) == "connected");
}

BOOST_AUTO_TEST_CASE(numeric_hosts_do_not_ask_the_resolver) {
  auto connect = []() -> task<int> {
    io::listener listener = tcp_listen("127.0.0.1", 0);
    scripted_names names;
    io::stream near = co_await tcp_connect("127.0.0.1", listener.port(), with(names));
    co_return names.asked_count;
  };
  BOOST_TEST(rt.block_on(connect) == 0);
}

BOOST_AUTO_TEST_CASE(the_last_failure_is_the_one_that_is_told) {
  auto connect = [](std::string host) -> task<std::string> {
    scripted_names names;
    names.answers = {refusing_place(), refusing_place()};
    try {
      io::stream none = co_await tcp_connect(host, 80, with(names));
    } catch (const system_error& error) {
      co_return error.what();
    }
    co_return "no error";
  };
  BOOST_TEST(rt.block_on(connect, "many").starts_with("cannot connect to many:80: Connection ref"));
  BOOST_TEST(rt.block_on(connect, "none")
                 .starts_with("cannot connect to none:80: no address of that name"));
}

BOOST_AUTO_TEST_CASE(without_descriptors_a_connection_fails) {
  auto exhaust = []() -> task<std::string> {
    scripted_names names;
    names.answers = {at("127.0.0.1", 1), at("127.0.0.1", 2)};
    test::no_more_fds full;
    try {
      io::stream none = co_await tcp_connect("many", 80, with(names));
    } catch (const system_error& error) {
      co_return error.what();
    }
    co_return "no error";
  };
  BOOST_TEST(rt.block_on(exhaust).find("Too many open files") != std::string::npos);
}

// Goal:   the next address is tried after 250 ms of the runtime's clock, not before, and the loser
//         is closed.
// Method: the clock stands still while a connection is waited for; the test moves it.
BOOST_AUTO_TEST_CASE(an_address_that_does_not_answer_gets_250_ms) {
  still_clock world;
  auto race = [&]() -> task<> {
    silent_port silent = co_await silent_port::make();
    io::listener good = tcp_listen("127.0.0.1", 0);
    scripted_names names;
    names.answers = {silent.place(), at("127.0.0.1", good.port())};
    auto connecting = spawn(
        [&]() -> task<io::stream> { co_return co_await tcp_connect("many", 80, with(names)); });
    co_await let_others_run();
    world.clock.advance(249ms);
    co_await let_others_run();
    BOOST_TEST(!connecting.done());
    world.clock.advance(2ms);
    co_await let_others_run();
    io::stream near = co_await connecting;
    BOOST_TEST(near.peer_address() == good.local_address());
  };
  world.rt.block_on(race);
}

BOOST_AUTO_TEST_CASE(a_stop_ends_all_attempts) {
  still_clock world;
  auto race = [&]() -> task<> {
    silent_port one = co_await silent_port::make(), other = co_await silent_port::make();
    scripted_names names;
    names.answers = {one.place(), other.place()};
    auto connecting = spawn(
        [&]() -> task<> { io::stream never = co_await tcp_connect("many", 80, with(names)); });
    co_await let_others_run();
    world.clock.advance(251ms);
    co_await let_others_run();
    std::string waits_for;
    for (const auto& each : world.rt.tasks()) waits_for += each.waits_for;
    BOOST_TEST(waits_for.find("a connection to a peer (connect)") != std::string::npos);
    co_await connecting.cancel();
  };
  world.rt.block_on(race);
}

BOOST_AUTO_TEST_CASE(without_a_network_a_connection_to_a_name_is_a_misuse) {
  runtime_config config;
  config.workers = 1;
  config.network = false;
  runtime bare{config};
  auto connect = []() -> task<std::string> {
    test::thrown_misuse guard;
    try {
      io::stream none = co_await tcp_connect("localhost", 80);
    } catch (const test::misused& seen) {
      co_return seen.what();
    }
    co_return "none";
  };
  BOOST_TEST(bare.block_on(connect).starts_with(
      "a net function was called in a runtime without a network"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::net
