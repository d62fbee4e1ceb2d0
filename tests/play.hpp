#pragma once

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include <troupe/sim/explore.hpp>

namespace troupe::test {

/// Does each of `acts` once and runs every turn that is ready, in an order that `choice` makes,
/// until nothing is left to do.
template <class Hands>
void play(sim::choices& choice, Hands& hands, std::vector<std::function<void()>> acts) {
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
