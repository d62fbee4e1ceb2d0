#pragma once

#include <troupe/base/format.hpp>
#include <troupe/sync/broadcast.hpp>

/// What fmt prints of a gap in a broadcast: `3 values missed`.
template <>
struct fmt::formatter<troupe::lagged> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const troupe::lagged& gap, Context& to) const {
    const char* noun = gap.count == 1 ? "value" : "values";
    return fmt::formatter<std::string_view>::format(fmt::format("{} {} missed", gap.count, noun),
                                                    to);
  }
};
