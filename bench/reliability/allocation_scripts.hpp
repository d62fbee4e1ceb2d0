#pragma once

#include <span>

namespace reliability {

/// A piece of a program, with a runtime of its own, that is run once for each of its allocations.
/// What is wrong at its end is noted by expect(), or thrown.
struct script {
  const char* name;
  void (*run)();
};

[[nodiscard]] std::span<const script> all_scripts() noexcept;

/// Notes that something has not come out as it has to.
void expect(bool holds) noexcept;
/// Returns: whether all was as expected since the last call.
[[nodiscard]] bool was_all_as_expected() noexcept;

}  // namespace reliability
