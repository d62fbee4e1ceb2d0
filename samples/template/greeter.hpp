#pragma once

#include <string>

#include <fmt/core.h>

#include <troupe/actor/actor.hpp>

/// Asks for a greeting; the answer is a string.
struct greet {
  using reply = std::string;
  std::string name;
};

/// Greets, and counts whom.
class greeter : public troupe::actor {
public:
  std::string on(greet m) { return fmt::format("Hello, {}! You are number {}.", m.name, ++count_); }

private:
  int count_ = 0;
};
