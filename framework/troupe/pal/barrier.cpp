#include <troupe/pal/barrier.hpp>

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include <troupe/base/assert.hpp>

namespace troupe::inline v0_1::pal {

#if defined(TROUPE_UNDER_TSAN)

namespace {
std::atomic<int> common_word{0};
}

void light_barrier() noexcept { common_word.fetch_add(1, std::memory_order_seq_cst); }
void heavy_barrier() noexcept { common_word.fetch_add(1, std::memory_order_seq_cst); }

#else

namespace {

int membarrier(int command) noexcept {
  return static_cast<int>(::syscall(__NR_membarrier, command, 0, 0));
}

}  // namespace

void heavy_barrier() noexcept {
  static const int registered = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
  // Kernels before 4.14, or a seccomp filter: the light side would be no barrier at all.
  TROUPE_ASSERT(registered == 0);
  TROUPE_ASSERT(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0);
}

#endif

}  // namespace troupe::inline v0_1::pal
