#include <chrono>

#include <boost/test/unit_test.hpp>

#include <troupe/pal/clock.hpp>

#include <threads.hpp>

namespace troupe::pal {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(clock_)

BOOST_AUTO_TEST_CASE(the_virtual_clock_stands_still_until_it_is_moved) {
  virtual_clock clock;
  time_point start = clock.now();
  BOOST_CHECK(clock.now() == start);
  clock.advance(1h);
  BOOST_CHECK(clock.now() == start + 1h);
  BOOST_TEST(clock.is_virtual());
}

BOOST_AUTO_TEST_CASE(the_virtual_clock_jumps_forward_and_never_back) {
  virtual_clock clock;
  time_point start = clock.now();
  BOOST_TEST(clock.jump_to(start + 5s));
  BOOST_TEST(clock.jump_to(start + 2s));
  BOOST_CHECK(clock.now() == start + 5s);
}

BOOST_AUTO_TEST_CASE(the_virtual_clock_loses_no_step_of_several_threads) {
  virtual_clock clock;
  test::race(4, [&](std::size_t) {
    for (int i = 0; i < 1000; ++i) clock.advance(1us);
  });
  BOOST_CHECK(clock.now() == time_point{} + 4ms);
}

BOOST_AUTO_TEST_CASE(the_real_clock_cannot_be_moved) {
  clock& real = real_clock();
  BOOST_TEST(!real.is_virtual());
  BOOST_TEST(!real.jump_to(real.now() + 1h));
  time_point earlier = real.now();
  BOOST_CHECK(earlier <= real.now());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::pal
