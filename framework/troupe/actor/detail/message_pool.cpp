#include <troupe/actor/detail/message_pool.hpp>

#include <array>
#include <utility>

#include <troupe/base/cache_line.hpp>
#include <troupe/base/memory.hpp>

namespace troupe::detail {

namespace {

struct free_block {
  free_block* next;
};

// Blocks of one size, in cache lines.
struct stack {
  static constexpr std::size_t max_kept = 256;

  free_block* first = nullptr;
  std::size_t count = 0;
};

class local_stacks {
public:
  static constexpr std::size_t max_lines = 8;

  ~local_stacks() {
    for (std::size_t i = 0; i < stacks_.size(); ++i) {
      while (free_block* block = stacks_[i].first) {
        stacks_[i].first = block->next;
        deallocate(block, (i + 1) * cache_line_bytes);
      }
    }
  }
  stack& of(std::size_t lines) noexcept { return stacks_[lines - 1]; }

private:
  std::array<stack, max_lines> stacks_{};
};

thread_local local_stacks local;

std::size_t lines_of(std::size_t size_bytes) noexcept {
  return (size_bytes + cache_line_bytes - 1) / cache_line_bytes;
}

}  // namespace

void* allocate_message(std::size_t size_bytes) {
  std::size_t lines = lines_of(size_bytes);
  if (lines > local_stacks::max_lines) return allocate(size_bytes);
  stack& from = local.of(lines);
  if (from.first == nullptr) return allocate(lines * cache_line_bytes);
  --from.count;
  return std::exchange(from.first, from.first->next);
}

void free_message(void* block, std::size_t size_bytes) noexcept {
  std::size_t lines = lines_of(size_bytes);
  if (lines > local_stacks::max_lines) return deallocate(block, size_bytes);
  stack& to = local.of(lines);
  if (to.count == stack::max_kept) return deallocate(block, lines * cache_line_bytes);
  ++to.count;
  to.first = new (block) free_block{to.first};
}

}  // namespace troupe::detail
