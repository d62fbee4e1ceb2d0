#include <troupe/actor/detail/cycle.hpp>

#include <cstdint>
#include <vector>

#include <troupe/actor/detail/actor_block.hpp>

namespace troupe::inline v0_1::detail {

namespace {

constexpr int max_length = 1024;

// Walks from `target` to `start`. Returns: a number made of all waits on the way; 0 when it does
// not get there.
std::uint64_t walk(const actor_block& start, actor_block& target,
                   std::vector<actor_block*>* passed) {
  std::uint64_t waits = 1;
  actor_block* at = &target;
  for (int length = 0; length < max_length; ++length) {
    if (passed != nullptr) passed->push_back(at);
    if (at == &start) return waits;
    const task_core* handler = at->handler();
    if (handler == nullptr) return 0;
    std::uint64_t wait = handler->present_wait();
    actor_block* next = handler->awaited();
    if (wait == 0 || next == nullptr) return 0;
    waits = waits * 0x9e3779b97f4a7c15U + (wait ^ reinterpret_cast<std::uintptr_t>(handler));
    at = next;
  }
  return 0;
}

}  // namespace

std::unique_ptr<std::string> find_cycle(actor_block& start, actor_block& target) {
  std::uint64_t first = walk(start, target, nullptr);
  if (first == 0) return nullptr;
  std::vector<actor_block*> passed;
  if (walk(start, target, &passed) != first) return nullptr;
  auto text = std::make_unique<std::string>(start.name_seen());
  for (actor_block* each : passed) *text += " -> " + each->name_seen();
  return text;
}

std::unique_ptr<std::string> chain_of_waits(actor_block& start, actor_block& target) {
  auto text = std::make_unique<std::string>(start.name_seen());
  actor_block* at = &target;
  for (int length = 1; length < 16 && at != nullptr; ++length) {
    *text += " -> " + at->name_seen();
    const task_core* handler = at->handler();
    at = handler == nullptr ? nullptr : handler->awaited();
  }
  return text;
}

}  // namespace troupe::inline v0_1::detail
