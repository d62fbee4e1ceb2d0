#pragma once

#include <troupe/io/simulated_network.hpp>
#include <troupe/net/reactor.hpp>

namespace troupe::inline v0_1::net::detail {

/// The network of the runtime that the calling thread works for: a simulated one, else its reactor.
/// Errors: as reactor::current().
struct network_here {
  io::simulated_network* simulated = io::simulated_network::current();
  reactor* real = simulated != nullptr ? nullptr : &reactor::current();
};

}  // namespace troupe::inline v0_1::net::detail
