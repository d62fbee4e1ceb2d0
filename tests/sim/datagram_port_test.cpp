#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include <troupe/io/datagram.hpp>

#include "sim/two_hosts.hpp"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using test::two_hosts;
namespace codes = boost::system::errc;

io::endpoint at(const std::string& address, std::uint16_t port) {
  return io::endpoint::parse(address, port).value();
}

boost::system::error_code send(io::datagram_device& from, std::string_view text,
                               std::optional<io::endpoint> to = std::nullopt) {
  auto sent = from.try_send(std::as_bytes(std::span{text}), to);
  return sent.value().has_value() ? boost::system::error_code{} : sent->error();
}

std::vector<std::string> receive_all(io::datagram_device& at_port) {
  std::vector<std::string> all;
  std::array<char, 2000> buffer{};
  while (auto got = at_port.try_receive(std::as_writable_bytes(std::span{buffer}))) {
    all.emplace_back(buffer.data(), got->value().size_bytes);
  }
  return all;
}

BOOST_AUTO_TEST_SUITE(datagram_port_)

BOOST_AUTO_TEST_CASE(a_datagram_comes_whole_and_says_who_has_sent_it) {
  two_hosts pair;
  auto there = pair.right.bind_datagrams(at("0.0.0.0", 53), false).value();
  auto here = pair.left.bind_datagrams(at("0.0.0.0", 0), false).value();
  BOOST_TEST(!send(*here, "one", two_hosts::endpoint_of(pair.b, 53)).failed());
  pair.run();
  std::array<std::byte, 100> buffer{};
  io::datagram got = there->try_receive(buffer).value().value();
  BOOST_TEST(got.size_bytes == 3U);
  BOOST_TEST((got.from == two_hosts::endpoint_of(pair.a, here->local_endpoint().port())));
  BOOST_TEST(!there->try_receive(buffer));
}

BOOST_AUTO_TEST_CASE(some_get_lost_some_come_twice_and_some_are_overtaken) {
  two_hosts pair;
  pair.net.set_loss(0.3);
  pair.net.set_duplication(0.2);
  pair.net.set_delay(0ns, 5ms);
  auto there = pair.right.bind_datagrams(at("0.0.0.0", 53), false).value();
  auto here = pair.left.connect_datagrams(two_hosts::endpoint_of(pair.b, 53)).value();
  constexpr std::size_t count = 1000;
  for (std::size_t i = 0; i < count; ++i) {
    BOOST_TEST(!send(*here, std::to_string(100'000 + i)).failed());
    pair.run(1ms);
  }
  pair.run();
  std::vector<std::string> got = receive_all(*there);
  std::set<std::string> different{got.begin(), got.end()};
  BOOST_TEST(different.size() > 600U);
  BOOST_TEST(different.size() < 800U);
  BOOST_TEST(got.size() > different.size() + 50);
  BOOST_TEST(!std::is_sorted(got.begin(), got.end()));
}

BOOST_AUTO_TEST_CASE(none_come_over_a_cut_wire_not_even_later) {
  two_hosts pair;
  auto there = pair.right.bind_datagrams(at("0.0.0.0", 53), false).value();
  auto here = pair.left.connect_datagrams(two_hosts::endpoint_of(pair.b, 53)).value();
  pair.net.partition(pair.a, pair.b);
  BOOST_TEST(!send(*here, "lost").failed());
  pair.run();
  pair.net.heal_all();
  BOOST_TEST(!send(*here, "found").failed());
  pair.run();
  BOOST_TEST((receive_all(*there) == std::vector<std::string>{"found"}));
}

BOOST_AUTO_TEST_CASE(a_connected_socket_hears_that_nobody_is_there_and_hears_only_its_peer) {
  two_hosts pair;
  auto here = pair.left.connect_datagrams(two_hosts::endpoint_of(pair.b, 53)).value();
  BOOST_TEST(!send(*here, "anybody?").failed());
  pair.run();
  BOOST_TEST((send(*here, "again") == codes::connection_refused));
  auto there = pair.right.bind_datagrams(at("0.0.0.0", 53), false).value();
  auto stranger = pair.right.bind_datagrams(at("0.0.0.0", 54), false).value();
  BOOST_TEST(!send(*stranger, "buy!", here->local_endpoint()).failed());
  BOOST_TEST(!send(*there, "answer", here->local_endpoint()).failed());
  pair.run();
  BOOST_TEST((receive_all(*here) == std::vector<std::string>{"answer"}));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_sent_is_an_error_and_what_is_too_long_is_lost) {
  two_hosts pair;
  auto here = pair.left.bind_datagrams(at("0.0.0.0", 53), false).value();
  BOOST_TEST((send(*here, "to whom?") == codes::destination_address_required));
  BOOST_TEST((send(*here, std::string(65'508, 'x'), at("10.0.0.2", 1)) == codes::message_size));
  BOOST_TEST((send(*here, "x", at("10.9.9.9", 1)) == codes::network_unreachable));
  BOOST_TEST((pair.left.bind_datagrams(at("0.0.0.0", 53), false).error() == codes::address_in_use));
  BOOST_TEST(!send(*here, std::string(5000, 'x'), at("127.0.0.1", 53)).failed());
  BOOST_TEST(!send(*here, "short", at("127.0.0.1", 53)).failed());
  pair.run();
  std::array<std::byte, 2000> buffer{};
  int too_long = 0, whole = 0;
  while (auto got = here->try_receive(buffer)) {
    got->has_value() ? ++whole : ++too_long;
    if (got->has_error()) BOOST_TEST((got->error() == errc::too_long));
  }
  BOOST_TEST(too_long == 1);
  BOOST_TEST(whole == 1);
}

BOOST_AUTO_TEST_CASE(what_nobody_receives_is_dropped_beyond_a_limit) {
  two_hosts pair;
  auto there = pair.right.bind_datagrams(at("0.0.0.0", 53), false).value();
  auto here = pair.left.connect_datagrams(two_hosts::endpoint_of(pair.b, 53)).value();
  for (int i = 0; i < 300; ++i) BOOST_TEST(!send(*here, std::string(1000, 'x')).failed());
  pair.run();
  BOOST_TEST(receive_all(*there).size() == 212U);
}

BOOST_AUTO_TEST_CASE(a_pair_loses_nothing_keeps_the_order_and_waits_while_it_is_full) {
  two_hosts pair;
  pair.net.set_loss(1.0);
  auto [first, second] = pair.left.datagram_pair();
  std::vector<std::string> sent;
  for (int i = 0;; ++i) {
    std::string text = std::to_string(i);
    if (!first->try_send(std::as_bytes(std::span{text}), std::nullopt)) break;
    sent.push_back(text);
  }
  BOOST_TEST(first->enlist_send(waker{}));
  pair.run();
  BOOST_TEST((receive_all(*second) == sent));
  BOOST_TEST(!first->enlist_send(waker{}));
  second.reset();
  BOOST_TEST((send(*first, "x") == codes::connection_refused));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace troupe
