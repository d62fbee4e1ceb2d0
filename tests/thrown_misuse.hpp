#pragma once

#include <stdexcept>
#include <string>

#include <troupe/base/assert.hpp>

namespace troupe::test {

/// What a misuse throws while a thrown_misuse lives.
struct misused : std::logic_error {
  using std::logic_error::logic_error;
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

/// Returns: the text of the misuse that `act()` is; empty when it is none.
template <class Act>
std::string misuse_of(Act act) {
  thrown_misuse guard;
  try {
    act();
  } catch (const misused& seen) {
    return seen.what();
  }
  return {};
}

}  // namespace troupe::test
