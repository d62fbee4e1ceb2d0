#include "families.hpp"

#include <array>

namespace troupe::scenarios {

std::span<const family> families() noexcept {
  // clang-format off
  static constexpr std::array all{
      family{"messages", &play_messages},
      family{"requests", &play_requests},
      family{"supervision", &play_supervision},
      family{"channels", &play_channels},
      family{"values", &play_values},
      family{"permits", &play_permits},
      family{"structure", &play_structure},
      family{"timers", &play_timers},
      family{"bytes", &play_bytes},
      family{"stops", &play_stops},
      family{"groups", &play_groups},
      family{"rooms", &play_rooms},
      family{"prompt", &play_prompt},
      family{"deadlines", &play_deadlines},
      family{"endings", &play_endings},
      family{"streams", &play_streams},
      family{"memory", &play_memory},
  };
  // clang-format on
  return all;
}

}  // namespace troupe::scenarios
