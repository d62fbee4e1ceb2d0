#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <troupe/base/result.hpp>
#include <troupe/net/files.hpp>

// What net/files.hpp does on a thread of the blocking pool. All of it blocks.

namespace troupe::inline v0_1::net::detail {

[[nodiscard]] result<std::string> read_whole(const std::string& path, std::size_t max_bytes);
[[nodiscard]] result<void> write_whole(const std::string& path, std::string_view bytes,
                                       const write_options& options);

[[nodiscard]] result<int> open_file(const std::string& path, open_mode mode,
                                    mode_t permissions) noexcept;
[[nodiscard]] result<std::string> read_part(int fd, std::uint64_t offset, std::size_t max_bytes);
[[nodiscard]] result<void> write_part(int fd, std::uint64_t offset,
                                      std::string_view bytes) noexcept;

}  // namespace troupe::inline v0_1::net::detail
