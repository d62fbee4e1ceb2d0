#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>

#include <troupe/pal/clock.hpp>

namespace service {

/// What a complaint is about; each kind has a rate limit of its own.
enum class trouble {
  accept,
  limit,
  line,
  garbage,
  idle,
  slow,
  reset,
  connect,
  answer,
  rtt,
  handshake,
  count_
};

/// Lines on stderr about peers that misbehave and things that are exhausted. At most ten a second
/// of one kind, or one where all say the same; the rest is counted, and told with the next line of
/// that kind or at the end.
///
/// Threads: any.
class complaints {
public:
  complaints() = default;
  complaints(const complaints&) = delete;
  complaints& operator=(const complaints&) = delete;
  ~complaints();

  void say(trouble about, std::string_view text);

private:
  struct record {
    troupe::time_point second_began{};
    std::uint64_t said_count = 0;  // In that second.
    std::uint64_t untold_count = 0;
  };

  std::mutex mutex_;
  std::array<record, static_cast<std::size_t>(trouble::count_)> records_;
};

}  // namespace service
