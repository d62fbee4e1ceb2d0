#include <troupe/sim/detail/process.hpp>

#include <troupe/sim/detail/connection.hpp>
#include <troupe/sim/detail/datagram_port.hpp>
#include <troupe/sim/detail/listening.hpp>

namespace troupe::inline v0_1::sim::detail {

void process::stop_intake() noexcept {
  takes_in_ = false;
  listeners.for_each([](listening& each) { each.stop_intake(); });
}

// Its tasks get no turn any more, but what they have open is closed when they are destroyed: that
// must find everything closed.
void process::die(death how) {
  if (!is_alive()) return;
  net_->connections.for_each([&](connection& each) {
    for (std::size_t side = 0; side < 2; ++side) {
      if (each.at(side).owner.get() != this) continue;
      if (how == death::closes) {
        each.close(side);
      } else {
        each.fall_silent(side);
      }
    }
  });
  while (!listeners.empty()) listeners.front().end(false);
  while (!datagrams.empty()) datagrams.front().end();
  is_alive_ = false;
}

}  // namespace troupe::inline v0_1::sim::detail
