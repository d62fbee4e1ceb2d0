#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <fmt/core.h>
#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <troupe/caf/system.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/shield.hpp>

namespace samples {

/// Runs the broker that `spawn(network, door)` starts until Ctrl-C asks it to end, and returns when
/// all CAF actors have ended.
/// Returns: the exit code: 1, after a line that says why, when the port cannot be had.
template <class Spawn>
troupe::task<int> serve(std::uint16_t port, Spawn spawn) {
  auto config = std::make_unique<caf::actor_system_config>();
  config->load<caf::io::middleman>();
  troupe::caf_system system{std::move(config)};

  caf::io::middleman& network = system->middleman();
  if (auto door = network.backend().new_tcp_doorman(port, "127.0.0.1")) {
    fmt::print("listening on 127.0.0.1:{}\n", (*door)->port());
    auto broker = spawn(network, std::move(*door));
    try {
      troupe::event never;
      co_await never.wait();
    } catch (const troupe::canceled&) {  // Ctrl-C.
      caf::anon_send_exit(broker, caf::exit_reason::user_shutdown);
    }
  } else {
    fmt::print("listener error = cannot listen on 127.0.0.1:{}: {}\n", port,
               system->render(door.error()));
    co_return 1;
  }
  co_await troupe::shield(system.shut_down());  // What was accepted goes on to its end.
  co_return 0;
}

}  // namespace samples
