#pragma once

#include <string>

#include <sys/types.h>

#include <troupe/version.hpp>

namespace troupe::inline v0_1::net::detail {

/// The file of a bound unix socket, as long as it is the one that was bound.
class unix_file {
public:
  unix_file() noexcept = default;
  /// Notes which file lies at `path` now.
  explicit unix_file(std::string path) noexcept;

  /// Removes it; not when another one has taken its place. Harmless when there is none.
  void remove() noexcept;

private:
  std::string path_;
  dev_t device_ = 0;
  ino_t number_ = 0;
};

/// Removes the file of a unix socket at `path` if nobody answers there any more.
/// Returns: true when the path is free now.
[[nodiscard]] bool remove_stale_socket(const std::string& path) noexcept;

}  // namespace troupe::inline v0_1::net::detail
