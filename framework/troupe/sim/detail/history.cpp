#include <troupe/sim/detail/history.hpp>

#include <fmt/format.h>

namespace troupe::inline v0_1::sim::detail {

void history::add_line(time_point when, std::string_view who, std::string_view text) {
  auto since = when.time_since_epoch();
  auto whole = std::chrono::floor<std::chrono::seconds>(since);
  lines_.push_back(fmt::format("{:>6} {:>6}.{:09}  {:<10} {}", steps_, whole.count(),
                               (since - whole).count(), who, text));
}

}  // namespace troupe::inline v0_1::sim::detail
