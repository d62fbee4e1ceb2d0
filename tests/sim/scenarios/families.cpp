#include "families.hpp"

#include <array>

namespace troupe::scenarios {

std::span<const family> families() noexcept {
  static constexpr std::array all{
      family{"messages", &play_messages},
      family{"requests", &play_requests},
      family{"supervision", &play_supervision},
  };
  return all;
}

}  // namespace troupe::scenarios
