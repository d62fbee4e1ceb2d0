#pragma once

#include <model/model.hpp>

/// Stands in for the header of the same name, as far as turns of kept actors need it.
namespace troupe::inline v0_1::pal {

/// Who waits for another thread lets it go on.
inline void spin_hint(std::source_location where = std::source_location::current()) noexcept {
  model::give_way(where);
}

}  // namespace troupe::inline v0_1::pal
