#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <actors/listener.hpp>
#include <troupe/actor/supervisor.hpp>

#include "chaos.hpp"
#include "gate.hpp"
#include "site.hpp"

namespace service {

/// Starts the listener, which gives each connection an actor of its own. Beyond the limit a
/// connection is told so and closed. Killed, it comes back with the same socket, and connections
/// that are open go on; stopped, it takes in no more and ends when those of its own have ended.
troupe::ref<troupe::actors::listener> open_door(const troupe::ref<troupe::supervisor>& root,
                                                troupe::io::listener source,
                                                std::shared_ptr<site> at, colleagues with,
                                                std::optional<troupe::ref<chaos>> enemy,
                                                gate through = {});

}  // namespace service
