#include <cstdint>
#include <cstring>
#include <vector>

#include <boost/test/unit_test.hpp>

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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
