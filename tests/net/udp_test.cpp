#include <array>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/io/datagram.hpp>
#include <troupe/net/udp.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <error_of.hpp>
#include <net/connected.hpp>
#include <net/limited_fds.hpp>
#include <thrown_misuse.hpp>

namespace troupe::net {

namespace {

// Sends back what comes, until it is stopped.
task<> echo(io::datagram_socket& socket) {
  std::array<char, 2000> buffer{};
  for (;;) {
    io::datagram got = co_await socket.receive_from(buffer);
    co_await socket.send_to(std::string_view{buffer.data(), got.size_bytes}, got.from);
  }
}

task<std::string> next_text(io::datagram_socket& socket) {
  std::array<char, 2000> buffer{};
  io::datagram got = co_await socket.receive_from(buffer);
  co_return std::string{buffer.data(), got.size_bytes};
}

using test::error_of;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(udp_, two_workers)

BOOST_AUTO_TEST_CASE(a_datagram_comes_whole_and_with_its_sender) {
  auto exchange = []() -> task<> {
    std::vector<std::string> hosts{"127.0.0.1", "::1"};
    for (const auto& host : hosts) {
      io::datagram_socket one = udp_bind(host, 0), other = udp_bind(host, 0);
      co_await one.send_to("first", other.local_endpoint());
      co_await one.send_to("second", other.local_endpoint());
      std::array<char, 100> buffer{};
      io::datagram got = co_await other.receive_from(buffer);
      BOOST_TEST((std::string_view{buffer.data(), got.size_bytes} == "first"));
      BOOST_TEST((got.from == one.local_endpoint()));
      BOOST_TEST(co_await next_text(other) == "second");
      BOOST_TEST(!one.peer_endpoint().has_value());
    }
  };
  rt.block_on(exchange);
}

BOOST_AUTO_TEST_CASE(an_empty_datagram_is_one) {
  auto exchange = []() -> task<std::string> {
    io::datagram_socket one = udp_bind("127.0.0.1", 0), other = udp_bind("127.0.0.1", 0);
    co_await one.send_to("", other.local_endpoint());
    co_await one.send_to("x", other.local_endpoint());
    std::string first = co_await next_text(other);
    std::string second = co_await next_text(other);
    co_return first + "," + second;
  };
  BOOST_TEST(rt.block_on(exchange) == ",x");
}

BOOST_AUTO_TEST_CASE(one_that_does_not_fit_is_an_error_and_the_next_one_comes) {
  auto exchange = []() -> task<> {
    io::datagram_socket one = udp_bind("127.0.0.1", 0), other = udp_bind("127.0.0.1", 0);
    co_await one.send_to("too long", other.local_endpoint());
    co_await one.send_to("fits", other.local_endpoint());
    std::array<char, 4> buffer{};
    auto outcome = co_await other.receive_from(buffer).as_result();
    BOOST_TEST((outcome.error() == errc::too_long));
    io::datagram got = co_await other.receive_from(buffer);
    BOOST_TEST((std::string_view{buffer.data(), got.size_bytes} == "fits"));
  };
  rt.block_on(exchange);
}

BOOST_AUTO_TEST_CASE(the_longest_datagram_passes_and_a_longer_one_is_refused) {
  auto exchange = []() -> task<bool> {
    io::datagram_socket one = udp_bind("127.0.0.1", 0), other = udp_bind("127.0.0.1", 0);
    std::string longest(io::max_datagram_bytes, 'x'), got(io::max_datagram_bytes, ' ');
    auto outcome = co_await one.send_to(longest + "x", other.local_endpoint()).as_result();
    BOOST_TEST((outcome.error() == boost::system::errc::message_size));
    co_await one.send_to(longest, other.local_endpoint());
    io::datagram seen = co_await other.receive_from(got);
    co_return seen.size_bytes == longest.size() && got == longest;
  };
  BOOST_TEST(rt.block_on(exchange));
}

BOOST_AUTO_TEST_CASE(a_connected_socket_hears_its_peer_alone) {
  auto exchange = []() -> task<std::string> {
    io::datagram_socket peer = udp_bind("127.0.0.1", 0), stranger = udp_bind("127.0.0.1", 0);
    io::datagram_socket socket = co_await udp_connect("localhost", peer.local_endpoint().port());
    BOOST_TEST((socket.peer_endpoint() == peer.local_endpoint()));
    co_await stranger.send_to("stranger", socket.local_endpoint());
    co_await socket.send("to the peer");
    std::string heard = co_await next_text(peer);
    co_await peer.send_to("from the peer", socket.local_endpoint());
    co_return heard + ", " + co_await next_text(socket);
  };
  BOOST_TEST(rt.block_on(exchange) == "to the peer, from the peer");
}

BOOST_AUTO_TEST_CASE(a_port_that_nobody_holds_is_an_error_of_who_waits_for_an_answer) {
  auto ask = []() -> task<> {
    io::datagram_socket gone = udp_bind("127.0.0.1", 0);
    io::endpoint place = gone.local_endpoint();
    io::datagram_socket socket = co_await udp_connect("127.0.0.1", place.port());
    gone.close();
    std::array<char, 100> buffer{};
    auto waiting = spawn([&]() -> task<bool> {
      auto outcome = co_await socket.receive_from(buffer).as_result();
      co_return outcome.has_error() && outcome.error() == boost::system::errc::connection_refused;
    });
    co_await socket.send("anybody?");
    BOOST_TEST(co_await waiting);
    // It goes on: somebody has come.
    io::datagram_socket back = udp_bind("127.0.0.1", place.port());
    co_await socket.send("again");
    BOOST_TEST(co_await next_text(back) == "again");
  };
  rt.block_on(ask);
}

BOOST_AUTO_TEST_CASE(to_send_without_a_peer_is_an_error) {
  auto send = []() -> task<bool> {
    io::datagram_socket socket = udp_bind("127.0.0.1", 0);
    auto outcome = co_await socket.send("to whom?").as_result();
    co_return outcome.error() == boost::system::errc::destination_address_required;
  };
  BOOST_TEST(rt.block_on(send));
}

// Goal:   a receive that loses a race loses no datagram.
// Method: as cancel_safe_read_some. A pair is used, which drops nothing by itself.
BOOST_AUTO_TEST_CASE(cancel_safe_receive_from) {
  auto race = []() -> task<int> {
    auto ends = datagram_pair();
    constexpr int count = 5000;
    event tick;
    auto sending = spawn([&]() -> task<> {
      for (int i = 0; i < count; ++i) {
        std::string text = std::to_string(i);
        co_await ends.first.send(text);
        tick.set();
        if (i % 8 == 0) co_await yield();
      }
    });
    int in_order = 0;
    std::array<char, 16> buffer{};
    for (int i = 0; i < count;) {
      auto first = co_await select(ends.second.receive_from(buffer), tick.wait());
      if (first.index() == 1) {
        tick.reset();
        continue;
      }
      std::string_view got{buffer.data(), std::get<0>(first).size_bytes};
      in_order += got == std::to_string(i++);
    }
    co_await sending;
    co_return in_order;
  };
  BOOST_TEST(rt.block_on(race) == 5000);
}

// Goal:   a sender waits while the other end is full; a stop takes nothing and sends nothing.
// Method: nobody receives until the sender has been stopped.
BOOST_AUTO_TEST_CASE(cancel_safe_send) {
  auto fill = []() -> task<> {
    auto ends = datagram_pair();
    std::string text(1000, 'x');
    int sent = 0;
    auto sending = spawn([&]() -> task<> {
      for (;;) {
        co_await ends.first.send(text);
        ++sent;
      }
    });
    for (int before = -1; before != sent;) {
      before = sent;
      for (int i = 0; i < 1000; ++i) co_await yield();
    }
    co_await sending.cancel();
    BOOST_TEST(sent > 0);
    for (int i = 0; i < sent; ++i) BOOST_TEST((co_await next_text(ends.second) == text));
    // There is room again, and nothing but what comes now.
    co_await ends.first.send("last");
    BOOST_TEST(co_await next_text(ends.second) == "last");
  };
  runtime_config one;
  one.workers = 1;
  runtime{one}.block_on(fill);
}

BOOST_AUTO_TEST_CASE(a_full_pair_goes_on_when_there_is_room) {
  auto pass = []() -> task<int> {
    auto ends = datagram_pair();
    constexpr int count = 20'000;
    auto sending = spawn([&]() -> task<> {
      std::string text(500, 'x');
      for (int i = 0; i < count; ++i) co_await ends.first.send(text);
    });
    int got = 0;
    for (; got < count; ++got) (void)co_await next_text(ends.second);
    co_await sending;
    co_return got;
  };
  BOOST_TEST(rt.block_on(pass) == 20'000);
}

BOOST_AUTO_TEST_CASE(many_clients_are_answered_by_one_socket) {
  auto serve = []() -> task<int> {
    io::datagram_socket server = udp_bind("127.0.0.1", 0);
    auto serving = spawn([&]() -> task<> { co_await echo(server); });
    std::vector<join_handle<int>> clients;
    for (int i = 0; i < 50; ++i) {
      clients.push_back(spawn([i, place = server.local_endpoint()]() -> task<int> {
        io::datagram_socket socket = co_await udp_connect(place.host(), place.port());
        int right = 0;
        for (int round = 0; round < 20; ++round) {
          std::string text = std::to_string(i) + ":" + std::to_string(round);
          co_await socket.send(text);
          std::string answer = co_await next_text(socket);
          right += answer == text;
        }
        co_return right;
      }));
    }
    int right = 0;
    for (auto& client : clients) right += co_await client;
    co_await serving.cancel();
    co_return right;
  };
  BOOST_TEST(rt.block_on(serve) == 1000);
}

BOOST_AUTO_TEST_CASE(errors_name_address_and_port) {
  auto attempt = []() -> task<> {
    io::datagram_socket first = udp_bind("127.0.0.1", 0);
    std::uint16_t port = first.local_endpoint().port();
    std::string where = "cannot receive at 127.0.0.1:" + std::to_string(port);
    BOOST_TEST(error_of([&] {
                 (void)udp_bind("127.0.0.1", port);
               }).starts_with(where + ": Address already in use"));
    BOOST_TEST(error_of([] {
                 (void)udp_bind("no address", 1);
               }).starts_with("cannot receive at no address:1: Invalid argument"));
    test::no_more_fds full;
    BOOST_TEST(error_of([] { (void)udp_bind("127.0.0.1", 0); }).find("Too many open files") !=
               std::string::npos);
    BOOST_TEST(error_of([] { (void)datagram_pair(); }).find("Too many open files") !=
               std::string::npos);
    co_return;
  };
  rt.block_on(attempt);
}

BOOST_AUTO_TEST_CASE(two_receivers_at_once_are_a_misuse) {
  auto receive_twice = []() -> task<std::string> {
    io::datagram_socket socket = udp_bind("127.0.0.1", 0);
    auto first = spawn([&]() -> task<> { (void)co_await next_text(socket); });
    for (int i = 0; i < 100; ++i) co_await yield();
    test::thrown_misuse guard;
    std::string seen;
    try {
      (void)co_await next_text(socket);
    } catch (const test::misused& error) {
      seen = error.what();
    }
    co_await first.cancel();
    co_return seen;
  };
  runtime_config one;
  one.workers = 1;
  BOOST_TEST(runtime{one}
                 .block_on(receive_twice)
                 .starts_with("two tasks receive from one socket at once"));
}

BOOST_AUTO_TEST_CASE(who_waits_at_the_end_of_the_runtime_is_named_and_let_go) {
  runtime_config one;
  one.workers = 1;
  auto ending = std::make_unique<runtime>(one);
  ending
      ->spawn([]() -> task<> {
        io::datagram_socket socket = udp_bind("127.0.0.1", 0);
        (void)co_await next_text(socket);
      })
      .detach();
  auto let_it_wait = []() -> task<> {
    for (int i = 0; i < 100; ++i) co_await yield();
  };
  ending->block_on(let_it_wait);
  bool is_named = false;
  for (const auto& each : ending->tasks()) is_named |= each.waits_for == "a datagram";
  BOOST_TEST(is_named);
  ending.reset();
}

BOOST_AUTO_TEST_CASE(a_socket_that_outlives_its_runtime_is_harmless) {
  auto first = std::make_unique<runtime>(config());
  auto open = []() -> task<io::datagram_socket> { co_return udp_bind("127.0.0.1", 0); };
  io::datagram_socket left = first->block_on(open);
  first.reset();
  BOOST_TEST(left.is_open());
  left.close();
  BOOST_TEST(test::misuse_of([&] {
               (void)left.local_endpoint();
             }).starts_with("a datagram socket was used after it was closed"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::net
