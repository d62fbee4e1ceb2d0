#pragma once

#include <string>

#include <troupe/base/result.hpp>

namespace troupe::test {

/// Returns: what the system_error says that leaves `act`; empty when none does.
template <class Act>
std::string error_of(Act act) {
  try {
    act();
  } catch (const system_error& error) {
    return error.what();
  }
  return {};
}

}  // namespace troupe::test
