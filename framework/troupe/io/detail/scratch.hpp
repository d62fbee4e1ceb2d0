#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include <troupe/version.hpp>

namespace troupe::inline v0_1::io::detail {

/// A large buffer of the calling thread, for reads whose bytes are moved on before the turn ends:
/// an idle connection then holds none.
inline std::span<std::byte> scratch() {
  constexpr std::size_t size_bytes = 64 * 1024;
  static thread_local const auto buffer = std::make_unique_for_overwrite<std::byte[]>(size_bytes);
  return std::span<std::byte>{buffer.get(), size_bytes};
}

}  // namespace troupe::inline v0_1::io::detail
