#include <troupe/actor/registry.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>

#include <troupe/actor/all_actors.hpp>
#include <troupe/base/immortal.hpp>
#include <troupe/pal/mutex.hpp>

namespace troupe::inline v0_1::detail {

namespace {

struct named {
  actor_block* block;
  std::uint32_t generation;

  // Returns: a reference, if it lives.
  [[nodiscard]] actor_block* hold() const noexcept {
    if (!block->try_add_ref(generation)) return nullptr;
    if (!block->has_ended()) return block;
    block->drop_ref();
    return nullptr;
  }
  // Without a reference, which could be the last one: blocks are type-stable.
  [[nodiscard]] bool has_ended() const noexcept {
    return block->generation() != generation || block->has_ended();
  }
};

// Those of actors that have ended are dropped each time that the names have doubled.
struct name_map : std::map<std::string, named, std::less<>> {
  static constexpr std::size_t min_sweep = 16;
  std::size_t next_sweep = min_sweep;

  void sweep_if_due() {
    if (size() < next_sweep) return;
    std::erase_if(*this, [](const auto& each) { return each.second.has_ended(); });
    next_sweep = std::max(min_sweep, 2 * size());
  }
};

// All names of all runtimes. A runtime's names go with its actors.
struct all_names {
  pal::mutex mutex;
  std::map<const executor*, name_map> of;

  // Calls `act(names, place)` if the name is there.
  template <class Act>
  void find(const executor& exec, std::string_view name, Act act) {
    auto all = of.find(&exec);
    if (all == of.end()) return;
    auto at = all->second.find(name);
    if (at != all->second.end()) act(all->second, at);
  }
};

all_names& names() {
  static immortal<all_names> made;  // Runtimes may end after statics.
  return made.get();
}

}  // namespace

bool put_name(const executor& exec, std::string name, actor_block& who) {
  actor_block* other = nullptr;
  {
    pal::lock guard{names().mutex};
    name_map& all = names().of[&exec];
    all.sweep_if_due();
    auto [at, is_new] = all.try_emplace(std::move(name));
    if (!is_new) other = at->second.hold();
    if (other == nullptr || other == &who) at->second = named{&who, who.generation()};
  }
  bool is_free = other == nullptr || other == &who;
  if (other != nullptr) other->drop_ref();  // Outside of the lock: it may be the last one.
  return is_free;
}

actor_block* take_named(const executor& exec, std::string_view name, const actor_table& of) {
  actor_block* found = nullptr;
  {
    pal::lock guard{names().mutex};
    names().find(exec, name, [&](name_map& all, name_map::iterator at) {
      found = at->second.hold();
      if (found == nullptr) all.erase(at);
    });
  }
  if (found == nullptr || &found->table() == &of) return found;
  found->drop_ref();
  return nullptr;
}

std::size_t count_names(const executor& exec) {
  pal::lock guard{names().mutex};
  return names().of[&exec].size();
}

void drop_name(const executor& exec, std::string_view name) noexcept {
  pal::lock guard{names().mutex};
  names().find(exec, name, [](name_map& all, name_map::iterator at) { all.erase(at); });
}

}  // namespace troupe::inline v0_1::detail

namespace troupe::inline v0_1 {

void forget_names(const executor& exec) noexcept {
  pal::lock guard{detail::names().mutex};
  detail::names().of.erase(&exec);
}

}  // namespace troupe::inline v0_1
