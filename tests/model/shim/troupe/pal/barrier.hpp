#pragma once

#include <cstddef>
#include <source_location>

#include <model/barriers.hpp>

#include <troupe/version.hpp>

/// Stands in for the header of the same name, with the same pair of barriers.
namespace troupe::inline v0_1::pal {

inline void light_barrier(std::source_location where = std::source_location::current()) noexcept {
  model::barriers::current().light(where);
}

inline void heavy_barrier(std::source_location where = std::source_location::current()) noexcept {
  model::barriers::current().heavy(where);
}

}  // namespace troupe::inline v0_1::pal
