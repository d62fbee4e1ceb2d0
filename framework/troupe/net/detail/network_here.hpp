#pragma once

#include <source_location>

#include <troupe/io/simulated_network.hpp>
#include <troupe/net/reactor.hpp>

namespace troupe::inline v0_1::net::detail {

/// The network of the runtime that the calling thread works for: a simulated one, else its reactor.
/// Errors: as reactor::current().
struct network_here {
  explicit network_here(std::source_location where = {})
      : simulated{io::simulated_network::current()},
        real{simulated != nullptr ? nullptr : &reactor::current(where)} {}

  io::simulated_network* simulated;
  reactor* real;
};

}  // namespace troupe::inline v0_1::net::detail
