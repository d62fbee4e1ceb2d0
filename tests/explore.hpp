#pragma once

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace troupe::test {

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

/// Runs `body(choices&)` once for each sequence of choices that it can make, in order.
/// Returns: how many runs that were.
/// Source: TigerBeetle's exhaustigen.
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

/// Does each of `acts` once and runs every turn that is ready, in an order that `choice` makes,
/// until nothing is left to do.
template <class Hands>
void play(choices& choice, Hands& hands, std::vector<std::function<void()>> acts) {
  while (!acts.empty() || hands.ready() > 0) {
    std::size_t step = choice.pick(acts.size() + hands.ready());
    if (step >= acts.size()) {
      hands.run_one(step - acts.size());
      continue;
    }
    auto act = std::move(acts[step]);
    acts.erase(acts.begin() + static_cast<std::ptrdiff_t>(step));
    act();
  }
}

}  // namespace troupe::test
