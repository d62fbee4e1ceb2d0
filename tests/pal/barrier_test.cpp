#include <boost/test/unit_test.hpp>

#include <troupe/pal/atomic.hpp>
#include <troupe/pal/barrier.hpp>

#include <threads.hpp>

namespace troupe::pal {

BOOST_AUTO_TEST_SUITE(barrier_)

// Goal:   of two threads that each store and then load the other's word, at least one sees it.
// Method: store buffering, the light side against the heavy one; both meet before each round.
BOOST_AUTO_TEST_CASE(one_of_the_two_sides_sees_the_others_store) {
  const std::size_t rounds = test::rounds(5'000);
  atomic<int> light{0}, heavy{0};
  atomic<std::size_t> arrived{0};
  int seen[2] = {0, 0};
  std::size_t both_missed = 0;
  auto meet = [&](std::size_t target) {
    arrived.fetch_add(1);
    test::wait_until([&] { return arrived.load() >= target; });
  };
  test::race(2, [&](std::size_t self) {
    for (std::size_t i = 0; i < rounds; ++i) {
      meet(6 * i + 2);
      if (self == 0) {
        light.store(1, std::memory_order_relaxed);
        light_barrier();
        seen[0] = heavy.load(std::memory_order_relaxed);
      } else {
        heavy.store(1, std::memory_order_relaxed);
        heavy_barrier();
        seen[1] = light.load(std::memory_order_relaxed);
      }
      meet(6 * i + 4);
      if (self == 0) {
        both_missed += seen[0] == 0 && seen[1] == 0 ? 1 : 0;
        light.store(0);
        heavy.store(0);
      }
      meet(6 * i + 6);
    }
  });
  BOOST_TEST(both_missed == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::pal
