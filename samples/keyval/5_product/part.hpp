#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "../2_parse/answers.hpp"
#include "../2_parse/requests.hpp"
#include "commands.hpp"

namespace keyval {

/// What one shard has to do of the requests that came with one read, in their order, and what it
/// answers. It travels to the shard and back; in between nobody else has it.
struct part {
  struct call {
    const command* what;
    std::uint32_t first, count;  ///< Of `arguments`: its name and what follows.
  };

  std::vector<call> calls;
  std::vector<std::string_view> arguments;
  std::shared_ptr<char[]> bytes;  ///< What the arguments lie in.
  answers out;
  std::vector<std::size_t> ends;  ///< Where the answer to each call ends.
  bool is_replay = false;         ///< Of the journal: nothing is written to it, and no key is over.

  void add(const command& what, words asked) {
    calls.push_back({&what, static_cast<std::uint32_t>(arguments.size()),
                     static_cast<std::uint32_t>(asked.size())});
    arguments.insert(arguments.end(), asked.begin(), asked.end());
  }
  [[nodiscard]] words words_of(const call& of) const noexcept {
    return words{arguments}.subspan(of.first, of.count);
  }
  void clear() noexcept {
    calls.clear();
    arguments.clear();
    ends.clear();
    out.bytes.clear();
  }
};
using part_ptr = std::unique_ptr<part>;

}  // namespace keyval
