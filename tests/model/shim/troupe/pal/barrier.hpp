#pragma once

#include <model/barriers.hpp>

#include <troupe/version.hpp>

/// Stands in for the header of the same name, with the same pair of barriers.
namespace troupe::inline v0_1::pal {

inline void light_barrier() noexcept { model::barriers::current().light(); }
inline void heavy_barrier() noexcept { model::barriers::current().heavy(); }

}  // namespace troupe::inline v0_1::pal
