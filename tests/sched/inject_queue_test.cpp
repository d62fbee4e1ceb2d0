#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/pal/atomic.hpp>
#include <troupe/sched/detail/inject_queue.hpp>

#include <threads.hpp>

namespace troupe::detail {

namespace {

struct item final : job {
  item() : job{[](job&) noexcept {}} {}
  std::size_t pops = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(inject_queue_)

BOOST_AUTO_TEST_CASE(gives_out_the_oldest_first_and_no_more_than_asked_for) {
  inject_queue queue;
  std::vector<item> items(3);
  for (auto& each : items) queue.push(each);
  BOOST_TEST(queue.size() == 3u);
  std::array<job*, 2> out{};
  BOOST_TEST(queue.pop(out) == 2u);
  BOOST_CHECK(out[0] == &items[0] && out[1] == &items[1]);
  BOOST_TEST(queue.pop(out) == 1u);
  BOOST_CHECK(out[0] == &items[2]);
  BOOST_TEST(queue.pop(out) == 0u);
  BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(keeps_the_order_over_many_blocks) {
  inject_queue queue;
  std::vector<item> items(5000);
  std::vector<job*> all;
  for (auto& each : items) all.push_back(&each);
  std::span<job* const> rest{all};
  queue.push(*rest[0]);
  queue.push_all(rest.subspan(1, 3000));
  std::vector<job*> out(items.size());
  std::span<job*> room{out};
  BOOST_TEST(queue.pop(room.first(1500)) == 1500u);
  queue.push_all(rest.subspan(3001));
  BOOST_TEST(queue.pop(room.subspan(1500)) == 3500u);
  BOOST_TEST(out == all);
  BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(threads_get_each_job_once) {
  const std::size_t count = test::rounds(50'000);
  inject_queue queue;
  std::vector<item> items(2 * count);
  pal::atomic<std::size_t> popped{0};
  test::race(4, [&](std::size_t self) {
    if (self < 2) {
      for (std::size_t i = 0; i < count; ++i) queue.push(items[self * count + i]);
      return;
    }
    std::array<job*, 7> out;
    while (popped.load() < items.size()) {
      std::size_t got = queue.pop(out);
      for (std::size_t i = 0; i < got; ++i) ++static_cast<item*>(out[i])->pops;
      popped.fetch_add(got);
    }
  });
  for (auto& each : items) BOOST_REQUIRE_EQUAL(each.pops, 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::detail
