#include "failing_memory.hpp"

#include <execinfo.h>
#include <unistd.h>

#include <cstdlib>
#include <limits>
#include <new>

#include <troupe/base/memory.hpp>
#include <troupe/pal/atomic.hpp>

namespace reliability::failing_memory {

namespace {

constexpr auto never = std::numeric_limits<std::int64_t>::max() / 2;

constinit troupe::pal::atomic<std::int64_t> left{never};  // Until the first that fails.
constinit troupe::pal::atomic<std::int64_t> in_a_row{0};
constinit troupe::pal::atomic<std::uint64_t> failed{0};
constinit troupe::pal::atomic<std::int64_t> blocks{0};

bool shall_fail() noexcept {
  std::int64_t before = left.fetch_sub(1, std::memory_order_relaxed);
  if (before > 1 || before <= 1 - in_a_row.load(std::memory_order_relaxed)) return false;
  failed.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void show_place() noexcept {
  static const bool is_wanted = std::getenv("RELIABILITY_SHOW_PLACE") != nullptr;
  if (!is_wanted) return;
  void* calls[32];
  ::backtrace_symbols_fd(calls, ::backtrace(calls, 32), STDERR_FILENO);
}

void* take(std::size_t size_bytes) {
  if (shall_fail()) {
    show_place();
    throw std::bad_alloc{};
  }
  void* block = std::malloc(size_bytes);
  if (block == nullptr) throw std::bad_alloc{};
  blocks.fetch_add(1, std::memory_order_relaxed);
  return block;
}

void* take_aligned(std::size_t size_bytes, std::size_t alignment) {
  if (shall_fail()) throw std::bad_alloc{};
  void* block = std::aligned_alloc(alignment, (size_bytes + alignment - 1) / alignment * alignment);
  if (block == nullptr) throw std::bad_alloc{};
  blocks.fetch_add(1, std::memory_order_relaxed);
  return block;
}

void give_back(void* block) noexcept {
  if (block == nullptr) return;
  blocks.fetch_sub(1, std::memory_order_relaxed);
  std::free(block);
}

}  // namespace

void fail_at(std::uint64_t nth, std::uint64_t more) noexcept {
  failed.store(0);
  in_a_row.store(static_cast<std::int64_t>(more) + 1);
  left.store(static_cast<std::int64_t>(nth));
}

std::uint64_t relent() noexcept {
  left.store(never);
  return failed.load();
}

std::int64_t held() noexcept { return blocks.load(); }

}  // namespace reliability::failing_memory

using reliability::failing_memory::give_back;
using reliability::failing_memory::take;
using reliability::failing_memory::take_aligned;

// In place of those of base/memory.cpp, which the linker leaves in its archive then.
namespace troupe::inline v0_1 {

void* allocate(std::size_t size_bytes) { return take(size_bytes); }
void deallocate(void* block, std::size_t) noexcept { give_back(block); }

}  // namespace troupe::inline v0_1

void* operator new(std::size_t size) { return take(size); }
void* operator new[](std::size_t size) { return take(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return take(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](std::size_t size, const std::nothrow_t& none) noexcept {
  return operator new(size, none);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return take_aligned(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return take_aligned(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { give_back(block); }
void operator delete[](void* block) noexcept { give_back(block); }
void operator delete(void* block, std::size_t) noexcept { give_back(block); }
void operator delete[](void* block, std::size_t) noexcept { give_back(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { give_back(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { give_back(block); }
void operator delete(void* block, std::align_val_t) noexcept { give_back(block); }
void operator delete[](void* block, std::align_val_t) noexcept { give_back(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { give_back(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { give_back(block); }
