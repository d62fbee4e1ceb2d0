#include <chrono>

#include <boost/test/unit_test.hpp>

#include <troupe/net/detail/reactor_core.hpp>
#include <troupe/net/reactor.hpp>
#include <troupe/pal/clock.hpp>
#include <troupe/pal/thread.hpp>

namespace troupe::net {

using namespace std::chrono_literals;

// A wait that does not end is found by the time limit of the test.
BOOST_AUTO_TEST_SUITE(reactor_)

BOOST_AUTO_TEST_CASE(an_interrupt_before_wait_ends_it) {
  reactor tested;
  tested.interrupt();
  BOOST_CHECK_NO_THROW(tested.wait(std::nullopt));
}

BOOST_AUTO_TEST_CASE(a_poll_leaves_an_interrupt_for_the_next_wait) {
  reactor tested;
  tested.interrupt();
  tested.poll(256);
  BOOST_CHECK_NO_THROW(tested.wait(std::nullopt));
}

BOOST_AUTO_TEST_CASE(an_interrupt_ends_a_wait_also_while_asio_is_in_use) {
  reactor tested;
  (void)tested.core()->context();
  for (int i = 0; i < 3; ++i) {
    tested.interrupt();
    BOOST_CHECK_NO_THROW(tested.wait(std::nullopt));
    tested.interrupt();
    tested.poll(256);
    BOOST_CHECK_NO_THROW(tested.wait(std::nullopt));
  }
}

// Goal:   no interrupt is lost, whenever it comes.
// Method: one thread waits as often as the other one interrupts; each interrupt is given only after
//         the wait before it has ended, at a varying distance.
BOOST_AUTO_TEST_CASE(every_interrupt_ends_a_wait) {
  reactor tested;
  constexpr int count = 20'000;
  pal::atomic<int> ended{0};
  pal::thread waiting{[&] {
    for (int i = 0; i < count; ++i) {
      tested.wait(std::nullopt);
      ended.fetch_add(1);
    }
  }};
  for (int i = 0; i < count; ++i) {
    while (ended.load() < i) {
    }
    for (int spin = 0; spin < i % 512; ++spin) (void)ended.load();
    if (ended.load() == i) tested.interrupt();
  }
  // One interrupt may have ended two waits (R3); so nobody is owed one, but one may be missing.
  while (ended.load() < count) tested.interrupt();
  waiting.join();
  BOOST_TEST(ended.load() == count);
}

BOOST_AUTO_TEST_CASE(a_wait_ends_at_its_time_also_below_a_millisecond) {
  reactor tested;
  for (auto length : {50us, 300us, 2000us}) {
    time_point until = pal::real_clock().now() + length;
    while (pal::real_clock().now() < until) tested.wait(until);
    BOOST_TEST((pal::real_clock().now() >= until));
  }
}

BOOST_AUTO_TEST_CASE(a_time_that_moves_either_way_is_kept) {
  reactor tested;
  time_point far = pal::real_clock().now() + 1h;
  tested.interrupt();
  tested.wait(far);
  tested.interrupt();
  tested.wait(far);
  time_point near = pal::real_clock().now() + 1ms;  // Earlier than what the alarm is set for.
  while (pal::real_clock().now() < near) tested.wait(near);
  near = pal::real_clock().now() + 500us;
  tested.interrupt();
  tested.wait(near);
  time_point later = near + 1ms;  // The alarm goes off in vain once.
  while (pal::real_clock().now() < later) tested.wait(later);
  BOOST_TEST((pal::real_clock().now() >= later));
}

BOOST_AUTO_TEST_CASE(a_time_in_the_past_does_not_wait) {
  reactor tested;
  BOOST_CHECK_NO_THROW(tested.wait(time_point{}));
  tested.wait(pal::real_clock().now() - 1s);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::net
