#pragma once

#include <cstddef>
#include <vector>

#include <troupe/version.hpp>

namespace troupe::inline v0_1::sim {

/// The choices of one run of a body that explore() repeats.
class choices {
public:
  /// Returns: a number in [0, bound); over all runs, every one. Requires: `bound` above zero.
  std::size_t pick(std::size_t bound) {
    if (at_ == made_.size()) made_.push_back({0, bound});
    return made_[at_++].value;
  }

  /// Goes on to the next sequence of choices. Returns: false when all have been made.
  bool next() {
    while (!made_.empty() && ++made_.back().value == made_.back().bound) made_.pop_back();
    at_ = 0;
    return !made_.empty();
  }

private:
  struct choice {
    std::size_t value, bound;
  };
  std::vector<choice> made_;
  std::size_t at_ = 0;
};

/// Runs `body(choices&)` once for each sequence of choices that it can make, in order: every case
/// of something small, where for_each_seed() tries some cases of something large.
/// Returns: how many runs that were.
/// Source: TigerBeetle's exhaustigen.
/// Example:
///     sim::explore([](sim::choices& choice) {
///       bool first_sends = choice.pick(2) == 0;
///       ...
///     });
template <class Body>
std::size_t explore(Body body) {
  choices choice;
  std::size_t runs = 0;
  do {
    body(choice);
    ++runs;
  } while (choice.next());
  return runs;
}

}  // namespace troupe::inline v0_1::sim
