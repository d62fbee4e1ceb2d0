#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::scenarios {

/// Which scenarios to play, and how.
struct task_list {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
  std::string family{};  ///< Empty: the one that the seed chooses.
  std::size_t jobs = 1;
  std::uint64_t twice_every = 10;
  bool keeps_going = false;
};

/// Plays them in `jobs` processes, so that a crash or a turn without end is a violation too. Prints
/// each violation with the command that replays it, and a line of JSON at the end.
/// Returns: the exit code.
[[nodiscard]] int play_all(const task_list& what, std::string_view program);

}  // namespace troupe::scenarios
