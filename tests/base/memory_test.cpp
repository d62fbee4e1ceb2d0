#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <troupe/base/block_pool.hpp>
#include <troupe/base/memory.hpp>
#include <troupe/pal/thread.hpp>

namespace troupe {

BOOST_AUTO_TEST_SUITE(memory_)

BOOST_AUTO_TEST_CASE(blocks_are_aligned_and_may_be_freed_by_another_thread) {
  struct block {
    void* place;
    std::size_t size_bytes;
  };
  std::vector<block> blocks;
  for (std::size_t size = 1; size < 100'000; size = size * 3 / 2 + 1) {
    void* place = allocate(size);
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(place) % (size < 16 ? 8 : 16) == 0u);
    std::memset(place, 1, size);
    blocks.push_back({place, size});
  }
  pal::thread{[&blocks] {
    for (auto& each : blocks) deallocate(each.place, each.size_bytes);
  }}.join();
}

BOOST_AUTO_TEST_CASE(a_check_is_asked_about_each_block_and_its_no_is_bad_alloc) {
  struct every_second final : allocation_check {
    bool refuses(std::size_t size_bytes) noexcept override {
      sizes.push_back(size_bytes);
      return sizes.size() % 2 == 0;
    }
    std::vector<std::size_t> sizes;
  };
  // One that is kept at hand must not hide the question.
  detail::free_block(detail::allocate_block(64), 64);
  every_second check;
  check.sizes.reserve(10);
  check_allocations(&check);
  void* first = detail::allocate_block(64);
  BOOST_CHECK_THROW((void)allocate(100), std::bad_alloc);
  detail::free_block(first, 64);
  void* again = detail::allocate_block(64);
  check_allocations(nullptr);
  detail::free_block(again, 64);
  detail::free_block(detail::allocate_block(64), 64);
  BOOST_TEST(check.sizes == (std::vector<std::size_t>{64, 100, 64}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
