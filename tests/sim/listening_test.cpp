#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "sim/two_hosts.hpp"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using test::read_all;
using test::two_hosts;
using test::write_to;
namespace codes = boost::system::errc;

io::endpoint at(const std::string& address, std::uint16_t port) {
  return io::endpoint::parse(address, port).value();
}

BOOST_AUTO_TEST_SUITE(listening_)

BOOST_AUTO_TEST_CASE(a_port_has_one_listener_and_port_0_gives_a_free_one) {
  two_hosts pair;
  auto first = pair.right.listen(at("0.0.0.0", 80), 8).value();
  BOOST_TEST((pair.right.listen(at("0.0.0.0", 80), 8).error() == codes::address_in_use));
  BOOST_TEST((pair.right.listen(at("127.0.0.1", 80), 8).error() == codes::address_in_use));
  BOOST_TEST(pair.left.listen(at("0.0.0.0", 80), 8).has_value());  // Another machine.
  auto any = pair.right.listen(at("0.0.0.0", 0), 8).value();
  auto other = pair.right.listen(at("0.0.0.0", 0), 8).value();
  BOOST_TEST(any->port() != other->port());
  BOOST_TEST(any->local_address() == "0.0.0.0:" + std::to_string(any->port()));
  first.reset();
  BOOST_TEST(pair.right.listen(at("127.0.0.1", 80), 8).has_value());
}

BOOST_AUTO_TEST_CASE(only_an_address_of_its_machine_can_be_listened_at) {
  two_hosts pair;
  BOOST_TEST((pair.right.listen(at("10.0.0.1", 80), 8).error() == codes::address_not_available));
  BOOST_TEST(pair.right.listen(at("10.0.0.2", 80), 8).has_value());
}

BOOST_AUTO_TEST_CASE(what_listens_at_loopback_is_for_its_machine_alone) {
  two_hosts pair;
  auto door = pair.right.listen(at("127.0.0.1", 80), 8).value();
  auto outside = pair.left.connect(two_hosts::endpoint_of(pair.b, 80)).value();
  auto inside = pair.right.connect(at("127.0.0.1", 80)).value();
  pair.run(1s);
  BOOST_TEST((outside->try_finish_connect().value().error() == codes::connection_refused));
  BOOST_TEST(inside->try_finish_connect().value().has_value());
  auto accepted = std::move(*door->try_accept()).value();
  BOOST_TEST(accepted->peer_address() == inside->local_address());
  BOOST_TEST(inside->local_address().starts_with("127.0.0.1:"));
}

BOOST_AUTO_TEST_CASE(addresses_say_who_is_at_which_end) {
  two_hosts pair;
  auto [near, far] = pair.connect();
  BOOST_TEST(near->local_address().starts_with("10.0.0.1:"));
  BOOST_TEST(near->peer_address().starts_with("10.0.0.2:"));
  BOOST_TEST(far->peer_address() == near->local_address());
  BOOST_TEST(far->local_address() == near->peer_address());
}

BOOST_AUTO_TEST_CASE(an_address_that_no_machine_has_is_unreachable) {
  two_hosts pair;
  BOOST_TEST((pair.left.connect(at("10.9.9.9", 80)).error() == codes::network_unreachable));
}

BOOST_AUTO_TEST_CASE(callers_are_accepted_in_the_order_of_their_coming_and_the_rest_call_again) {
  two_hosts pair;
  auto door = pair.right.listen(at("0.0.0.0", 80), 2).value();
  std::vector<io::connecting_device_ptr> callers;
  for (int i = 0; i < 3; ++i) {
    callers.push_back(pair.left.connect(two_hosts::endpoint_of(pair.b, 80)).value());
    pair.run(100ms);
  }
  BOOST_TEST(callers[0]->try_finish_connect().value().has_value());
  BOOST_TEST(callers[1]->try_finish_connect().value().has_value());
  BOOST_TEST(!callers[2]->try_finish_connect());
  for (int i = 0; i < 2; ++i) {
    auto accepted = std::move(*door->try_accept()).value();
    BOOST_TEST(accepted->peer_address() == callers[static_cast<std::size_t>(i)]->local_address());
  }
  pair.run(2s);
  BOOST_TEST(callers[2]->try_finish_connect().value().has_value());
}

BOOST_AUTO_TEST_CASE(a_queue_that_stays_full_times_a_caller_out) {
  two_hosts pair;
  auto door = pair.right.listen(at("0.0.0.0", 80), 1).value();
  auto first = pair.left.connect(two_hosts::endpoint_of(pair.b, 80)).value();
  pair.run(1s);
  auto second = pair.left.connect(two_hosts::endpoint_of(pair.b, 80)).value();
  pair.run();
  BOOST_TEST((second->try_finish_connect().value().error() == codes::timed_out));
}

BOOST_AUTO_TEST_CASE(the_end_of_a_listener_resets_who_waits_and_leaves_the_others_alone) {
  two_hosts pair;
  auto door = pair.right.listen(at("0.0.0.0", 80), 8).value();
  auto first = pair.left.connect(two_hosts::endpoint_of(pair.b, 80)).value();
  pair.run(1s);
  auto accepted = std::move(*door->try_accept()).value();
  auto second = pair.left.connect(two_hosts::endpoint_of(pair.b, 80)).value();
  pair.run(1s);
  door.reset();
  pair.run();
  BOOST_TEST((test::error_of_read(*second) == codes::connection_reset));
  write_to(*accepted, "still here");
  pair.run();
  BOOST_TEST(read_all(*first) == "still here");
}

BOOST_AUTO_TEST_CASE(a_caller_that_leaves_before_its_answer_leaves_nothing_behind) {
  two_hosts pair;
  auto door = pair.right.listen(at("0.0.0.0", 80), 8).value();
  auto early = pair.left.connect(two_hosts::endpoint_of(pair.b, 80)).value();
  early.reset();
  pair.run();
  BOOST_TEST(!door->try_accept());

  auto late = pair.left.connect(two_hosts::endpoint_of(pair.b, 80)).value();
  while (pair.plan.next() && pair.net.connection_count() == 0) {
    if (!pair.plan.run_due()) pair.plan.move_to(*pair.plan.next());
    if (auto accepted = door->try_accept()) {
      late.reset();
      pair.run();
      auto& peer = **accepted;
      BOOST_TEST((test::error_of_read(*peer) == codes::connection_reset));
      return;
    }
  }
  BOOST_ERROR("the call was not heard before its answer");
}

BOOST_AUTO_TEST_CASE(a_program_that_stops_takes_nobody_in) {
  two_hosts pair;
  auto door = pair.right.listen(at("0.0.0.0", 80), 8).value();
  pair.right.stop_intake();
  BOOST_TEST((door->try_accept().value().error() == errc::canceled));
  BOOST_TEST(!door->enlist_accept(waker{}));
}

BOOST_AUTO_TEST_CASE(a_path_is_replaced_only_where_nobody_answers) {
  two_hosts pair;
  BOOST_TEST((pair.right.connect_unix("/run/x").error() == codes::no_such_file_or_directory));
  auto door = pair.right.listen_unix("/run/x", 8, true).value();
  BOOST_TEST((pair.right.listen_unix("/run/x", 8, true).error() == codes::address_in_use));
  BOOST_TEST((pair.left.connect_unix("/run/x").error() == codes::no_such_file_or_directory));
  auto near = pair.right.connect_unix("/run/x").value();
  auto far = std::move(*door->try_accept()).value();
  BOOST_TEST(far->local_address() == "/run/x");
  BOOST_TEST(far->peer_address().empty());
  write_to(*near, "over a path");
  pair.run();
  BOOST_TEST(read_all(*far) == "over a path");

  pair.right_process->die(sim::detail::death::closes);
  sim::detail::network_driver next{pair.net.make_process(pair.b)};
  BOOST_TEST((next.connect_unix("/run/x").error() == codes::connection_refused));
  BOOST_TEST((next.listen_unix("/run/x", 8, false).error() == codes::address_in_use));
  auto anew = next.listen_unix("/run/x", 8, true).value();
  BOOST_TEST(next.connect_unix("/run/x").has_value());
  anew.reset();
  BOOST_TEST((next.connect_unix("/run/x").error() == codes::no_such_file_or_directory));
}

BOOST_AUTO_TEST_CASE(a_full_queue_at_a_path_says_so_and_an_abstract_name_goes_with_its_socket) {
  two_hosts pair;
  auto door = pair.right.listen_unix("@x", 1, true).value();
  auto first = pair.right.connect_unix("@x").value();
  BOOST_TEST((pair.right.connect_unix("@x").error() == codes::resource_unavailable_try_again));
  pair.right_process->die(sim::detail::death::closes);
  sim::detail::network_driver next{pair.net.make_process(pair.b)};
  BOOST_TEST((next.connect_unix("@x").error() == codes::connection_refused));
  BOOST_TEST(next.listen_unix("@x", 1, false).has_value());
}

BOOST_AUTO_TEST_CASE(a_pair_of_streams_is_connected_from_the_start) {
  two_hosts pair;
  auto [first, second] = pair.left.stream_pair();
  write_to(*first, "there");
  write_to(*second, "and back");
  pair.run();
  BOOST_TEST(read_all(*second) == "there");
  BOOST_TEST(read_all(*first) == "and back");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace troupe
