#include <troupe/actor/all_actors.hpp>

#include <troupe/actor/detail/actor_block.hpp>

namespace troupe {

std::size_t stop_all_actors(const executor& exec) noexcept {
  return detail::actor_block::stop_all(exec);
}

void abandon_all_actors(const executor& exec) noexcept { detail::actor_block::abandon_all(exec); }

}  // namespace troupe
