#pragma once

#include <regex>
#include <stdexcept>
#include <string>
#include <utility>

#include <troupe/base/assert.hpp>

namespace troupe::test {

/// What a misuse throws while a thrown_misuse lives: what() is its text alone.
struct misused : std::logic_error {
  explicit misused(const std::string& whole)
      : std::logic_error{std::regex_replace(
            whole, std::regex{R"(^([^ :]+:\d+: )?(.*) \[[A-Z]\d\d\].*$)"}, "$2")},
        line{whole} {}
  std::string line;  ///< As it would be printed: with the places and the code.
};

/// Makes every misuse an exception while it lives, instead of the end of the process.
class thrown_misuse {
public:
  thrown_misuse() noexcept
      : former_{set_misuse_handler([](const char* text) { throw misused{text}; })} {}
  ~thrown_misuse() { set_misuse_handler(former_); }
  thrown_misuse(const thrown_misuse&) = delete;
  thrown_misuse& operator=(const thrown_misuse&) = delete;

private:
  misuse_handler former_;
};

/// Returns: the line that the misuse `act()` would print; empty when it is none.
template <class Act>
std::string misuse_line_of(Act act) {
  thrown_misuse guard;
  try {
    act();
  } catch (const misused& seen) {
    return seen.line;
  }
  return {};
}

/// Returns: the text alone of the misuse that `act()` is; empty when it is none.
template <class Act>
std::string misuse_of(Act act) {
  std::string line = misuse_line_of(std::move(act));
  return line.empty() ? line : misused{line}.what();
}

}  // namespace troupe::test
