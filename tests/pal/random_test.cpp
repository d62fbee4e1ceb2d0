#include <array>

#include <boost/test/unit_test.hpp>

#include <troupe/pal/random.hpp>

namespace troupe::pal {

BOOST_AUTO_TEST_SUITE(random_)

BOOST_AUTO_TEST_CASE(one_seed_gives_one_sequence_on_every_machine) {
  random source{1234567};  // The published first values of splitmix64 for this seed.
  BOOST_TEST(source.next() == 6457827717110365317u);
  BOOST_TEST(source.next() == 3203168211198807973u);
  BOOST_TEST(source.next() == 9817491932198370423u);
}

BOOST_AUTO_TEST_CASE(other_seeds_give_other_sequences) {
  random first{1}, second{2};
  BOOST_TEST(first.next() != second.next());
}

BOOST_AUTO_TEST_CASE(below_reaches_every_number_and_stays_below) {
  random source{7};
  std::array<int, 5> seen{};
  for (int i = 0; i < 1000; ++i) ++seen.at(source.below(5));
  for (int count : seen) BOOST_TEST(count > 100);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::pal
