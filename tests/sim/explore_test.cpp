#include <boost/test/unit_test.hpp>

#include <set>
#include <vector>

#include <troupe/sim/explore.hpp>

namespace troupe {

BOOST_AUTO_TEST_SUITE(explore_)

BOOST_AUTO_TEST_CASE(every_sequence_of_choices_is_made_once) {
  std::set<std::vector<std::size_t>> seen;
  std::size_t runs = sim::explore([&](sim::choices& choice) {
    std::vector<std::size_t> made{choice.pick(3)};
    if (made[0] != 1) made.push_back(choice.pick(2));  // One of them has no second choice.
    BOOST_TEST(seen.insert(made).second);
  });
  BOOST_TEST(runs == 5u);
  BOOST_TEST(seen.size() == 5u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
