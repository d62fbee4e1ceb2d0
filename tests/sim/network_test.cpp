#include <boost/test/unit_test.hpp>

#include <chrono>
#include <set>
#include <string>

#include <troupe/sim/detail/process.hpp>
#include <troupe/sim/network.hpp>

#include "sim/two_hosts.hpp"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using test::error_of_read;
using test::is_at_end;
using test::read_all;
using test::two_hosts;
using test::write_to;
namespace codes = boost::system::errc;

std::string letters(std::size_t count, std::uint64_t seed) {
  pal::random numbers{seed};
  std::string made(count, ' ');
  for (char& each : made) each = static_cast<char>('a' + numbers.below(26));
  return made;
}

BOOST_AUTO_TEST_SUITE(network_)

BOOST_AUTO_TEST_CASE(bytes_come_once_and_in_order_however_long_they_take) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    two_hosts pair{seed};
    pair.net.set_delay(0ns, 50ms);
    pair.net.set_loss(0.2);
    auto [near, far] = pair.connect();
    std::string sent = letters(300'000, seed), got;
    pal::random numbers{seed};
    for (std::size_t at = 0; at < sent.size();) {
      at += write_to(*near, std::string_view{sent}.substr(at, numbers.below(20'000)));
      pair.run(1ms);
      if (numbers.below(3) == 0) got += read_all(*far);
    }
    near->try_shutdown().value().value();
    pair.run();
    got += read_all(*far);
    BOOST_TEST((got == sent), "seed " << seed);
    BOOST_TEST(is_at_end(*far));
  }
}

BOOST_AUTO_TEST_CASE(what_is_sent_takes_no_less_and_no_more_than_it_was_told) {
  two_hosts pair;
  pair.net.set_delay(pair.a, pair.b, 3ms, 4ms);
  auto [near, far] = pair.connect();
  std::set<duration> seen;
  for (int i = 0; i < 100; ++i) {
    time_point sent = pair.plan.now();
    write_to(*near, "x");
    while (read_all(*far).empty()) {
      if (!pair.plan.run_due()) pair.plan.move_to(*pair.plan.next());
    }
    seen.insert(pair.plan.now() - sent);
  }
  BOOST_TEST((*seen.begin() >= 3ms));
  BOOST_TEST((*seen.rbegin() <= 4ms));
  BOOST_TEST(seen.size() > 90U);
}

BOOST_AUTO_TEST_CASE(a_slow_wire_lets_so_many_bytes_through_in_a_second) {
  two_hosts pair;
  pair.net.throttle(pair.a, pair.b, 100'000);
  auto [near, far] = pair.connect();
  time_point start = pair.plan.now();
  std::string sent(60'000, 'x');
  BOOST_TEST(write_to(*near, sent) == sent.size());
  pair.run(500ms);
  std::size_t half = read_all(*far).size();
  BOOST_TEST(half <= 50'000U);
  pair.run();
  BOOST_TEST(half + read_all(*far).size() == sent.size());
  BOOST_TEST((pair.plan.now() - start >= 600ms));
}

BOOST_AUTO_TEST_CASE(a_stream_holds_so_much_until_its_reader_has_read) {
  two_hosts pair;
  pair.net.set_buffer(1000);
  auto [near, far] = pair.connect();
  BOOST_TEST(write_to(*near, std::string(5000, 'x')) == 1000U);
  pair.run();
  BOOST_TEST(write_to(*near, "x") == 0U);
  BOOST_TEST(read_all(*far).size() == 1000U);
  BOOST_TEST(write_to(*near, "x") == 0U);  // The news of it is still on its way.
  pair.run();
  BOOST_TEST(write_to(*near, std::string(5000, 'x')) >= 500U);  // It is told of half at least.
}

BOOST_AUTO_TEST_CASE(the_end_comes_after_the_bytes_and_the_other_direction_goes_on) {
  two_hosts pair;
  auto [near, far] = pair.connect();
  write_to(*near, "last words");
  near->try_shutdown().value().value();
  pair.run();
  BOOST_TEST(read_all(*far) == "last words");
  BOOST_TEST(is_at_end(*far));
  write_to(*far, "heard");
  pair.run();
  BOOST_TEST(read_all(*near) == "heard");
  BOOST_TEST(
      (near->try_write(std::as_bytes(std::span{"x", 1})).value().error() == codes::broken_pipe));
}

BOOST_AUTO_TEST_CASE(who_closes_with_bytes_unread_resets_and_who_has_read_all_just_ends) {
  two_hosts pair;
  auto [near, far] = pair.connect();
  far.reset();
  pair.run();
  BOOST_TEST(is_at_end(*near));

  auto [other, other_far] = pair.connect();
  write_to(*other, "unread");
  pair.run();
  other_far.reset();
  pair.run();
  BOOST_TEST((error_of_read(*other) == codes::connection_reset));
}

BOOST_AUTO_TEST_CASE(writing_to_who_has_closed_is_answered_by_a_reset) {
  two_hosts pair;
  auto [near, far] = pair.connect();
  far.reset();
  pair.run();
  BOOST_TEST(write_to(*near, "anybody?") == 8U);
  pair.run();
  BOOST_TEST((near->try_write(std::as_bytes(std::span{"x", 1})).value().error() ==
              codes::connection_reset));
}

BOOST_AUTO_TEST_CASE(a_reset_is_told_once_at_each_end_after_the_bytes_that_have_come) {
  two_hosts pair;
  auto [near, far] = pair.connect();
  write_to(*near, "hello");
  pair.run();
  BOOST_TEST(pair.net.connection_count() == 1U);
  BOOST_TEST(pair.net.reset(pair.b, pair.a) == 1U);
  BOOST_TEST(pair.net.connection_count() == 0U);
  std::array<char, 5> got{};
  BOOST_TEST(far->try_read(std::as_writable_bytes(std::span{got})).value().value() == 5U);
  for (auto* end : {near.get(), far.get()}) {
    BOOST_TEST((error_of_read(*end) == codes::connection_reset));
    BOOST_TEST(is_at_end(*end));
    BOOST_TEST(
        (end->try_write(std::as_bytes(std::span{"x", 1})).value().error() == codes::broken_pipe));
    BOOST_TEST((end->try_shutdown().value().error() == codes::not_connected));
  }
}

BOOST_AUTO_TEST_CASE(one_of_the_connections_that_stand_is_reset_as_the_seed_chooses) {
  std::set<std::size_t> chosen;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    two_hosts pair{seed};
    BOOST_TEST(!pair.net.reset_any());
    auto first = pair.connect(), second = pair.connect();
    BOOST_TEST(pair.net.reset_any());
    BOOST_TEST(pair.net.connection_count() == 1U);
    bool is_first = error_of_read(*first.first) == codes::connection_reset;
    BOOST_TEST(is_first != (error_of_read(*second.first) == codes::connection_reset));
    chosen.insert(is_first ? 1 : 2);
  }
  BOOST_TEST(chosen.size() == 2U);
}

BOOST_AUTO_TEST_CASE(what_is_sent_over_a_cut_wire_comes_when_it_is_whole_again) {
  two_hosts pair;
  auto [near, far] = pair.connect();
  pair.net.partition(pair.a, pair.b);
  write_to(*near, "one ");
  write_to(*near, "two ");
  write_to(*far, "and back");
  pair.run(1min);
  BOOST_TEST(read_all(*far).empty());
  BOOST_TEST(read_all(*near).empty());
  pair.net.heal(pair.b, pair.a);
  write_to(*near, "three");
  pair.run(1min);
  BOOST_TEST(read_all(*far) == "one two three");
  BOOST_TEST(read_all(*near) == "and back");
}

BOOST_AUTO_TEST_CASE(bytes_that_waited_for_a_cut_wire_are_not_overtaken) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    two_hosts pair{seed};
    pair.net.set_delay(0ns, 20ms);
    auto [near, far] = pair.connect();
    std::string sent = letters(40'000, seed), got;
    for (std::size_t at = 0; at < sent.size(); at += 1000) {
      BOOST_REQUIRE(write_to(*near, std::string_view{sent}.substr(at, 1000)) == 1000U);
      auto chance = pair.plan.random().below(4);
      if (chance == 0) pair.net.cut(pair.a, pair.b);
      if (chance == 1) pair.net.heal_all();
      pair.run(5ms);
      got += read_all(*far);
    }
    pair.net.heal_all();
    pair.run();
    got += read_all(*far);
    BOOST_TEST((got == sent), "seed " << seed);
  }
}

BOOST_AUTO_TEST_CASE(a_cut_that_lasts_fails_a_connection_with_something_to_send_and_no_other) {
  two_hosts pair;
  pair.net.set_patience(10s);
  auto [near, far] = pair.connect();
  auto [quiet, quiet_far] = pair.connect();
  pair.net.partition(pair.a, pair.b);
  write_to(*near, "x");
  pair.run(9s);
  BOOST_TEST(read_all(*near).empty());
  pair.run(2s);
  BOOST_TEST((error_of_read(*near) == codes::timed_out));
  BOOST_TEST(read_all(*far).empty());  // Nobody could tell it.
  pair.net.heal_all();
  pair.run();
  BOOST_TEST(read_all(*far).empty());  // Nor has anybody sent again.
  write_to(*quiet, "still there");
  pair.run();
  BOOST_TEST(read_all(*quiet_far) == "still there");
}

BOOST_AUTO_TEST_CASE(a_call_that_nobody_hears_or_whose_answer_is_lost_times_out) {
  for (bool answer_is_lost : {false, true}) {
    two_hosts pair;
    auto door = pair.right.listen(io::endpoint::parse("0.0.0.0", 80).value(), 8).value();
    auto from = answer_is_lost ? &pair.b : &pair.a, to = answer_is_lost ? &pair.a : &pair.b;
    pair.net.cut(*from, *to);
    auto caller = pair.left.connect(two_hosts::endpoint_of(pair.b, 80)).value();
    pair.run(1min);
    BOOST_TEST(!caller->try_finish_connect());
    pair.run();
    BOOST_TEST((caller->try_finish_connect().value().error() == codes::timed_out));
  }
}

BOOST_AUTO_TEST_CASE(an_isolated_host_still_reaches_itself) {
  two_hosts pair;
  pair.net.isolate(pair.b);
  auto door = pair.right.listen(io::endpoint::parse("0.0.0.0", 80).value(), 8).value();
  auto outside = pair.left.connect(two_hosts::endpoint_of(pair.b, 80)).value();
  auto inside = pair.right.connect(two_hosts::endpoint_of(pair.b, 80)).value();
  pair.run(1s);
  BOOST_TEST(!outside->try_finish_connect());
  BOOST_TEST(inside->try_finish_connect().value().has_value());
}

BOOST_AUTO_TEST_CASE(the_kernel_of_a_killed_program_closes_what_it_had_open) {
  two_hosts pair;
  auto [near, far] = pair.connect();
  auto [other, other_far] = pair.connect();
  write_to(*far, "said before");
  write_to(*other, "not read");
  pair.run();
  pair.right_process->die(sim::detail::death::closes);
  pair.run();
  BOOST_TEST(read_all(*near) == "said before");
  BOOST_TEST(is_at_end(*near));
  BOOST_TEST((error_of_read(*other) == codes::connection_reset));
  auto again = pair.left.connect(two_hosts::endpoint_of(pair.b, 32768)).value();
  pair.run();
  BOOST_TEST((again->try_finish_connect().value().error() == codes::connection_refused));
}

BOOST_AUTO_TEST_CASE(a_host_without_power_says_nothing_and_knows_nothing_afterwards) {
  two_hosts pair;
  auto [near, far] = pair.connect();
  pair.net.power_off(pair.b);
  pair.right_process->die(sim::detail::death::is_mute);
  pair.run();
  BOOST_TEST(read_all(*near).empty());
  BOOST_TEST(!is_at_end(*near));
  write_to(*near, "are you there?");
  pair.run(1min);
  BOOST_TEST(!error_of_read(*near));
  pair.net.power_on(pair.b);
  pair.run(1min);
  BOOST_TEST((error_of_read(*near) == codes::connection_reset));
}

BOOST_AUTO_TEST_CASE(sockets_that_outlive_their_network_are_harmless) {
  io::stream_device_ptr kept, other;
  io::listener_device_ptr door;
  {
    two_hosts pair;
    auto [near, far] = pair.connect();
    write_to(*near, "x");
    kept = std::move(near);
    other = std::move(far);
    door = pair.left.listen(io::endpoint::parse("0.0.0.0", 80).value(), 8).value();
  }
  BOOST_TEST(!kept->local_address().empty());
  kept.reset();
  other.reset();
  door.reset();
}

BOOST_AUTO_TEST_CASE(one_seed_gives_one_history_and_others_give_others) {
  auto history_of = [](std::uint64_t seed) {
    two_hosts pair{seed};
    std::string all;
    pair.plan.on_note([&](std::string_view text) {
      all += std::to_string(pair.plan.now().time_since_epoch().count());
      all += text;
    });
    pair.net.set_loss(0.1);
    auto [near, far] = pair.connect();
    for (int i = 0; i < 20; ++i) {
      write_to(*near, letters(1000, 1));
      pair.run(100us);
      all += std::to_string(read_all(*far).size()) + " ";
    }
    return all;
  };
  std::set<std::string> all;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    all.insert(history_of(seed));
    BOOST_TEST((history_of(seed) == history_of(seed)));
  }
  BOOST_TEST(all.size() == 10U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace troupe
