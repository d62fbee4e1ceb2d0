#pragma once

#include <array>
#include <cstddef>
#include <cstring>

#include <model/model.hpp>

#include <troupe/sync/parking_lot.cpp>

namespace troupe::model {

/// The parking lot of the process, which each schedule finds as it was made: a violation leaves
/// waiters in it that are gone.
class fresh_parking_lot {
public:
  fresh_parking_lot() { std::memcpy(&lot(), as_made.data(), as_made.size()); }

  /// Makes it. To be called before the model runs.
  static void make() { std::memcpy(as_made.data(), &lot(), as_made.size()); }

private:
  static void* address() { return &detail::parking_lot::instance(); }
  static std::byte& lot() { return *static_cast<std::byte*>(address()); }

  static inline std::array<std::byte, sizeof(detail::parking_lot)> as_made{};
};

}  // namespace troupe::model
