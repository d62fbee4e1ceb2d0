#include <chrono>

#include <boost/test/unit_test.hpp>

#include <troupe/pal/parker.hpp>

#include <threads.hpp>

namespace troupe::pal {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(parker_)

BOOST_AUTO_TEST_CASE(unpark_before_park_is_kept_once) {
  parker sleeper;
  sleeper.unpark();
  sleeper.unpark();
  sleeper.park(std::nullopt);  // Returns at once, or the case would never end.
  auto limit = real_clock().now() + 1ms;
  sleeper.park(limit);
  BOOST_CHECK(real_clock().now() >= limit);  // The second wake was not kept, too.
}

BOOST_AUTO_TEST_CASE(park_ends_with_its_time_and_can_be_used_again) {
  parker sleeper;
  for (int i = 0; i < 3; ++i) {
    auto limit = real_clock().now() + 1ms;
    sleeper.park(limit);
    BOOST_CHECK(real_clock().now() >= limit);
  }
  sleeper.park(real_clock().now() - 1s);
  sleeper.unpark();
  sleeper.park(std::nullopt);
}

// Goal:   no wake is lost, and what was written before it is seen after it.
// Method: two threads hand a number to and fro.
BOOST_AUTO_TEST_CASE(unpark_wakes_a_sleeper_and_publishes) {
  const int count = static_cast<int>(test::rounds(10'000));
  parker sleepers[2];
  int number = 0;
  test::race(2, [&](std::size_t self) {
    for (int i = 0; i < count; ++i) {
      if (self == 1 || i > 0) sleepers[self].park(std::nullopt);
      ++number;
      sleepers[1 - self].unpark();
    }
  });
  BOOST_TEST(number == 2 * count);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::pal
